"""Fisher's discriminant against scikit-learn, and on a singular scatter matrix."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from mnistkit import lda


@pytest.fixture
def two_classes() -> tuple[np.ndarray, np.ndarray]:
    """Return X of shape (300, 8) and which rows are positive, with correlated features."""
    rng = np.random.default_rng(0)
    positive = rng.random(300) < 0.3
    X = rng.normal(size=(300, 8)) @ rng.normal(size=(8, 8))
    X[positive] += rng.normal(size=8)
    return X, positive


def unit(w: np.ndarray) -> np.ndarray:
    """Return w at length 1."""
    return w / np.linalg.norm(w)


@pytest.mark.parametrize("solver", ["svd", "eigen", "lsqr"])
def test_the_direction_equals_scikit_learn(two_classes, solver: str) -> None:
    """All three solvers of scikit-learn find the same direction."""
    X, positive = two_classes
    theirs = LinearDiscriminantAnalysis(solver=solver).fit(X, positive)
    np.testing.assert_allclose(lda.fit(X, positive).coef_, unit(theirs.coef_[0]), rtol=1e-8)


def test_the_answers_equal_scikit_learn(two_classes) -> None:
    """The nearer projected mean is what scikit-learn chooses for equal priors (with svd, which pools all samples)."""
    X, positive = two_classes
    theirs = LinearDiscriminantAnalysis(solver="svd", priors=[0.5, 0.5]).fit(X, positive)
    np.testing.assert_array_equal(lda.fit(X, positive).predict(X), theirs.predict(X))


def test_a_pixel_without_ink_changes_nothing(two_classes) -> None:
    """Constant and duplicated features make S_w singular; the answers stay, and the rank tells."""
    X, positive = two_classes
    singular = np.hstack([X, np.zeros((len(X), 3)), X[:, :1]])
    ours, full = lda.fit(singular, positive), lda.fit(X, positive)
    assert ours.rank_ == full.rank_ == 8
    assert np.linalg.norm(ours.coef_) == pytest.approx(1)
    np.testing.assert_array_equal(ours.coef_[8:11], 0)
    np.testing.assert_array_equal(ours.predict(singular), full.predict(X))


def test_the_direction_maximises_fishers_ratio(two_classes) -> None:
    """No random direction has a larger ratio of squared mean distance to within-class scatter."""
    X, positive = two_classes
    difference = X[positive].mean(axis=0) - X[~positive].mean(axis=0)
    scatter = lda.within_scatter(X, positive)

    def ratio(w: np.ndarray) -> float:
        return float((w @ difference) ** 2 / (w @ scatter @ w))

    best = ratio(lda.fit(X, positive).coef_)
    assert all(ratio(w) <= best for w in np.random.default_rng(1).normal(size=(200, 8)))


def test_the_pseudo_inverse_is_that_of_numpy() -> None:
    """S⁺b equals NumPy's Moore–Penrose inverse on a matrix of rank 3."""
    factor = np.random.default_rng(2).normal(size=(6, 3))
    S, b = factor @ factor.T, np.arange(6.0)
    solution, rank = lda.pseudo_solve(S, b)
    assert rank == 3
    np.testing.assert_allclose(solution, np.linalg.pinv(S, hermitian=True, rcond=1e-12) @ b, rtol=1e-6)


def test_the_test_set_is_balanced() -> None:
    """All images of the digit and as many others, none twice."""
    labels = np.repeat(np.arange(10, dtype=np.uint8), [5, 7, 6, 5, 5, 5, 5, 5, 5, 5])
    chosen = lda.balanced_test(labels, 1, np.random.default_rng(0))
    assert len(chosen) == len(set(chosen.tolist())) == 14
    assert (labels[chosen] == 1).sum() == 7
