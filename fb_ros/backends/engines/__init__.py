"""TensorRT engines: building, keeping and running them."""
