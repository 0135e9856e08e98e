"""Prompts that a person can give: goals, formulas, labelled states, skills and feedback."""
