"""Modules converted: TF1 Hub modules to SavedModels of TF2 and for serving, and what TF2 has to them."""
