"""What frozen encoders give for each example: computed once, kept on disk, trained on from there."""

from hub_estimator.training.feature_cache.feature_cache import FeatureCache
from hub_estimator.training.feature_cache.sources import SourceAndSpec, Sources

__all__ = ["FeatureCache", "SourceAndSpec", "Sources"]
