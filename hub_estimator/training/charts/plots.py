"""Pictures of a report, as PNG files; they need matplotlib, which the extra `plots` installs."""

from __future__ import annotations

import importlib.util
import io
import warnings
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from hub_estimator import errors, texts
from hub_estimator.training.charts import curves
from hub_estimator.training.charts.curves import Calibration, Curve

_DPI = 120
_NAME_LETTERS = 20
_MAX_WRITTEN = 14  # with more classes than that, the numbers in the cells cannot be read
_MAX_LETTERS = 36  # more of them side by side run into one another
_MAX_INSIDE = 5  # the legend of more curves would cover them
_GREY = "0.6"


def are_possible() -> bool:
    """Whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def require() -> None:
    """Checks that matplotlib is installed.

    Raises:
      errors.MissingExtraError: it is not.
    """
    if not are_possible():
        raise errors.MissingExtraError(
            "The pictures of a report need the library matplotlib: "
            "pip install 'hub_estimator[plots]'. Report.pictures = False leaves them out."
        )


def short(name: str) -> str:
    """Returns a name as a picture has room for it."""
    text = texts.one_line(name)
    return text if len(text) <= _NAME_LETTERS else f"{text[: _NAME_LETTERS - 1]}…"


def confusion_matrix(matrix: np.ndarray, names: Sequence[str], title: str) -> bytes:
    """Draws how often each true class is taken for each class, as shares of the true one.

    Args:
      matrix: int64 `[K, K]`, the true classes as rows.
      names: the names of the `K` classes.
      title: what stands above.
    """
    size = len(names)
    side = min(max(4.5, 2.5 + 0.55 * size), 14.0)
    figure, axes = new_figure(side + 1.0, side)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    figure.colorbar(image, ax=axes, fraction=0.046, pad=0.03, label="share of the true class")
    labels = [escaped(short(name)) for name in names]
    slanted = size * max(map(len, labels)) > _MAX_LETTERS
    axes.set_xticks(range(size), labels, rotation=45 if slanted else 0,
                    ha="right" if slanted else "center", rotation_mode="anchor")  # fmt: skip
    axes.set_yticks(range(size), labels)
    axes.set(xlabel="predicted", ylabel="true", title=title)
    if size <= _MAX_WRITTEN:
        letters = 10 if matrix.max() < 10_000 else 7
        for (row, column), count in np.ndenumerate(matrix):
            color = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, f"{count:,}", ha="center", va="center", color=color,
                      fontsize=letters)  # fmt: skip
    return png(figure)


def curve_lines(
    kind: Literal["roc", "precision_recall"], named: Sequence[tuple[str, Curve]], title: str
) -> bytes:
    """Draws one curve for each class.

    Args:
      kind: which curves.
      named: the curves and the names of their classes; one whose area is NaN is left out.
      title: what stands above.
    """
    drawn = [(name, curve) for name, curve in named if np.isfinite(curve.area)]
    outside = len(drawn) > _MAX_INSIDE
    figure, axes = new_figure(8.5 if outside else 6.5, 5.5)
    for name, curve in drawn:
        thin = curves.thinned(curve)
        label = f"{escaped(short(name))} ({curve.area:.3f})"
        if kind == "roc":
            axes.plot(thin.x, thin.y, label=label)
        else:
            axes.step(thin.x, thin.y, label=label, where="pre")
    if not drawn:
        axes.text(0.5, 0.5, "no class has both positives and negatives", ha="center", va="center")
    elif kind == "roc":
        axes.plot([0, 1], [0, 1], color=_GREY, linestyle="--", linewidth=1, label="chance (0.500)")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.03), title=title)
    if kind == "roc":
        axes.set(xlabel="false positive rate", ylabel="true positive rate")
    else:
        axes.set(xlabel="recall", ylabel="precision")
    if drawn:
        area = "AUC" if kind == "roc" else "average precision"
        inside = {"loc": "lower right" if kind == "roc" else "lower left"}
        beside = {"loc": "upper left", "bbox_to_anchor": (1.02, 1.0)}
        axes.legend(title=f"class ({area})", fontsize=8, **(beside if outside else inside))
    axes.grid(alpha=0.3)
    return png(figure)


def calibration(result: Calibration, what: str, title: str) -> bytes:
    """Draws how often predictions come true, over their probability, and how many there are.

    Args:
      result: the numbers.
      what: which probability it is.
      title: what stands above.
    """
    figure, (upper, lower) = new_figure(6.5, 6.0, rows=2, height_ratios=[3, 1], sharex=True)
    upper.plot([0, 1], [0, 1], color=_GREY, linestyle="--", linewidth=1, label="perfect")
    upper.plot(result.predicted, result.observed, marker="o", label="model")
    upper.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), ylabel="how often it is so",
              title=f"{title}\nexpected calibration error {result.error:.3f}")  # fmt: skip
    upper.legend(loc="upper left")
    upper.grid(alpha=0.3)
    lower.bar(result.predicted, result.counts, width=0.04)
    lower.set(xlabel=escaped(what), ylabel="examples")
    lower.grid(alpha=0.3)
    return png(figure)


def scatter(truth: np.ndarray, predicted: np.ndarray, title: str) -> bytes:
    """Draws predicted over true numbers, float `[N]` each; only those that are finite."""
    figure, axes = new_figure(6.0, 5.5)
    finite = np.isfinite(truth) & np.isfinite(predicted)
    truth, predicted = truth[finite], predicted[finite]
    dense = len(truth) > 2000
    axes.plot(truth, predicted, linestyle="", marker=".", alpha=0.15 if dense else 0.6)
    if len(truth):
        ends = [min(truth.min(), predicted.min()), max(truth.max(), predicted.max())]
        axes.plot(ends, ends, color=_GREY, linestyle="--", linewidth=1)
    axes.set(xlabel="true", ylabel="predicted", title=title)
    axes.grid(alpha=0.3)
    return png(figure)


def histogram(errors_: np.ndarray, title: str) -> bytes:
    """Draws how the errors, predicted less true, float `[N]`, are distributed; the finite ones."""
    figure, axes = new_figure(6.0, 4.5)
    errors_ = errors_[np.isfinite(errors_)]
    axes.hist(errors_, bins=min(50, max(5, int(np.sqrt(len(errors_))))))
    axes.axvline(0.0, color=_GREY, linestyle="--", linewidth=1)
    axes.set(xlabel="predicted - true", ylabel="examples", title=title)
    axes.grid(alpha=0.3)
    return png(figure)


def new_figure(width: float, height: float, rows: int = 1, **options: Any) -> tuple[Any, Any]:
    """Returns a figure, and its axes, one below the other where there are several rows.

    Args:
      width: in inches, as `height`.
      height: of all rows.
      rows: the number of axes.
      **options: those of `Figure.subplots`, and `height_ratios`.
    """
    # Not pyplot: it keeps figures for the process, and looks for a screen.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    ratios = options.pop("height_ratios", None)
    gridspec = None if ratios is None else {"height_ratios": ratios}
    return figure, figure.subplots(rows, 1, gridspec_kw=gridspec, **options)


def png(figure: Any) -> bytes:
    """Returns a figure as a PNG file."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # Of the scripts that matplotlib's own font does not have; the tables have all names.
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        figure.savefig(buffer, format="png", dpi=_DPI)
    return buffer.getvalue()


def escaped(text: str) -> str:
    """Returns a text that matplotlib writes as it is."""
    return text.replace("$", r"\$")  # matplotlib takes what is between two of them for formulas
