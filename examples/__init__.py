"""Programs that show hub_estimator at work, each in a minute or two."""
