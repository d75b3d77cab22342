"""What an encoder can have at work: TF1 Hub modules and TF2 SavedModels."""
