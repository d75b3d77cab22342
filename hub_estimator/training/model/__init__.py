"""What a model is made of: encoders, layers and a head, and the model functions over them."""
