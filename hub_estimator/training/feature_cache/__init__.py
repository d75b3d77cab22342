"""What training does not change of encoders: computed once and kept on disk, or ahead of the steps."""

from hub_estimator.training.feature_cache.feature_cache import FeatureCache
from hub_estimator.training.feature_cache.sources import ComputedInput, Sources

__all__ = ["ComputedInput", "FeatureCache", "Sources"]
