"""The training framework: encoders, model_fn builders, inputs, exporters and the loop."""
