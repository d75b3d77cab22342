"""TensorFlow as programs for its first release import it: `import tensorflow as tf`, unchanged."""
