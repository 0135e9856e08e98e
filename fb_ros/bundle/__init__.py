"""Loads, checks and runs a bundle, the folder that a trained model ships in."""
