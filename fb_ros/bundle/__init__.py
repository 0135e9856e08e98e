"""The folder that a trained model ships in: loading, checking and running it."""
