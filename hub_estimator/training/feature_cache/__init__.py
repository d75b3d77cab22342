"""What frozen encoders give for each example: computed once, kept on disk, trained on from there."""

from hub_estimator.training.feature_cache.cache import FeatureCache
from hub_estimator.training.feature_cache.sources import Source, Sources

__all__ = ["FeatureCache", "Source", "Sources"]
