"""Prompts: goals, formulas, labelled states, skills and feedback."""
