"""Fisher's linear discriminant of one class against the rest, for a singular scatter matrix.

References
----------
R. A. Fisher, *The use of multiple measurements in taxonomic problems*, Annals of Eugenics 7 (1936) 179–188.
C. M. Bishop, *Pattern Recognition and Machine Learning*, Springer 2006, section 4.1.4: S_w (4.28), w ∝ S_w⁻¹(m₂ − m₁)
(4.30). T. Hastie, R. Tibshirani, J. Friedman, *The Elements of Statistical Learning*, 2nd ed., Springer 2009, section
4.3, and A. Albert, *Regression and the Moore–Penrose Pseudoinverse*, 1972, for the pseudo-inverse of a singular matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class FisherDiscriminant:
    """A direction and the projections of the two class means on it.

    Parameters
    ----------
    coef_ : ndarray of shape (n_features,)
        Unit vector w ∝ S_w⁺(μ₊ − μ₋).
    positive_, negative_ : float
        wᵀμ₊ and wᵀμ₋.
    rank_ : int
        Rank of S_w.
    """

    coef_: NDArray[np.float64]
    positive_: float
    negative_: float
    rank_: int

    def predict(self, X: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Tell for X of shape (n, n_features) whether each projected row lies nearer to the positive class's mean."""
        projected = X @ self.coef_
        nearer: NDArray[np.bool_] = np.abs(projected - self.positive_) < np.abs(projected - self.negative_)
        return nearer


def fit(X: NDArray[np.floating], positive: NDArray[np.bool_]) -> FisherDiscriminant:
    """Find Fisher's direction that separates the rows of X marked ``positive`` from the others.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Pixels in [0, 1].
    positive : ndarray of shape (n_samples,), bool
        Which rows belong to the class.
    """
    X = np.asarray(X, dtype=np.float64)
    mean_positive, mean_negative = X[positive].mean(axis=0), X[~positive].mean(axis=0)
    scatter = within_scatter(X, positive)
    direction, rank = pseudo_solve(scatter, mean_positive - mean_negative)
    direction /= np.linalg.norm(direction)
    return FisherDiscriminant(direction, float(direction @ mean_positive), float(direction @ mean_negative), rank)


def within_scatter(X: NDArray[np.floating], positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return S_w = Σ₊(x−μ₊)(x−μ₊)ᵀ + Σ₋(x−μ₋)(x−μ₋)ᵀ, of shape (n_features, n_features); Bishop (4.28)."""
    means = np.where(positive[:, None], X[positive].mean(axis=0), X[~positive].mean(axis=0))
    centred = np.asarray(X - means, dtype=np.float64)
    scatter: NDArray[np.float64] = centred.T @ centred
    return scatter


def pseudo_solve(S: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    """Return S⁺b for a symmetric S that may be singular, and the rank of S.

    A pixel that is never inked makes a zero row and column of S_w; ``numpy.linalg.inv`` then returns noise or fails.
    S = Q diag(λ) Qᵀ; eigenvalues up to n ε λ_max count as zero, as in ``numpy.linalg.matrix_rank`` (G. H. Golub,
    C. F. Van Loan, *Matrix Computations*, 4th ed. 2013, section 5.4.1), and so does their part of b.
    """
    eigenvalues, Q = np.linalg.eigh(S)
    kept = eigenvalues > len(S) * np.finfo(S.dtype).eps * eigenvalues[-1]
    Q = Q[:, kept]
    return Q @ ((Q.T @ b) / eigenvalues[kept]), int(np.count_nonzero(kept))


def balanced_test(labels: NDArray[np.uint8], digit: int, generator: np.random.Generator) -> NDArray[np.intp]:
    """Return the indices of all images of ``digit``, followed by as many others, drawn without replacement."""
    members, others = np.flatnonzero(labels == digit), np.flatnonzero(labels != digit)
    return np.concatenate([members, generator.choice(others, size=len(members), replace=False)])
