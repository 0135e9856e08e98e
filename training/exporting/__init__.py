"""From a trained model to a bundle's graphs and golden vectors."""
