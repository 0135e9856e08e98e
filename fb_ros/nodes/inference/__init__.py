"""Parts of `task_inference_node`: its parameters, its answers and its `z`."""
