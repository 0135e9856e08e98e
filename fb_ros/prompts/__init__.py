"""What a person can ask for: goals, formulas, labelled states, skills and feedback."""
