"""A small world of results that prose is held against: invented numbers under the ids of the real report."""

import pytest

from report.check.facts import Facts
from report.model import Claim, Result, Table, Value
from report.render import render
from report.views import SectionResult, section_view

VALUES = {
    "logistic": {
        "accuracy_train_none": 0.8954,
        "accuracy_train_lasso": 0.8697,
        "accuracy_train_ridge": 0.8925,
        "accuracy_test_none": 0.9044,
        "accuracy_test_lasso": 0.8778,
        "accuracy_test_ridge": 0.9025,
        "loss_last": 0.2121,
        "n_weights": 7850,
        "nonzero_threshold": 0.001,
        "nonzero_anomaly": 7045,
        "nonzero_small_step": 551,
        "share_within_a_step": 0.9321,
        "norm_none": 8.6948,
        "anomaly_step_over_threshold": 10.0,
    },
    "lda": {
        "n_train": 10000,
        "accuracy_mean": 0.91754,
        "accuracy_best": 0.97194,
        "best_digit": 0,
        "slope": -0.023845,
        "slope_low": -0.07162,
        "r_squared": 0.14203,
        "p_value": 0.28304,
        "alpha": 0.05,
        "score_0": 2.8333,
        "score_1": 1.5,
        "score_8": 2.857142857,
        "n_points": 10,
    },
    "neural_network": {"test_accuracy": 0.9612, "largest_gap": 0.0072, "final_loss": 0.0713},
    "cnn": {
        "test_accuracy": 0.9868,
        "train_accuracy": 0.9941,
        "largest_gap": 0.0073,
        "kernel": 5,
        "n_convolutions": 2,
        "n_linear": 3,
        "n_parameters": 205558,
        "loss_floor": 1.4612,
    },
    "distillation": {"n_repeats": 4, "teacher_test_accuracy": 0.9851},
    "summary": {"error_ratio": 7.2},
}
CLAIMS = {
    "logistic": {"lasso_is_sparser": True, "ridge_shrinks_norm": True, "variants_are_close": True},
    "lda": {"not_rejected": True},
    "neural_network": {"no_overfitting": True, "loss_rises_late": False},
    "cnn": {"little_overfitting": True},
    "learning_rate": {"larger_is_faster_early": True, "largest_rises_late": False},
    "summary": {"cnn_beats_lda": True},
}
TABLES = {
    "logistic": {
        "regularisation": Table(
            (
                "regularisation",
                "learning_rate",
                "norm_none",
                "norm_lasso",
                "norm_ridge",
                "nonzero_none",
                "nonzero_lasso",
                "nonzero_ridge",
            ),
            [
                (1e-5, 0.1, 8.38, 8.36, 8.36, 7684, 7225, 7670),
                (0.1, 0.1, 8.37, 3.99, 1.57, 7648, 7110, 5346),
                (0.1, 0.01, None, None, None, None, 831, None),
            ],
        )
    },
    "lda": {
        "accuracy": Table(
            ("digit", "accuracy"),
            list(enumerate((0.972, 0.967, 0.887, 0.915, 0.932, 0.887, 0.929, 0.918, 0.873, 0.896))),
        )
    },
}
SETTINGS = {
    "logistic": {
        "none": {"batch_size": 100, "learning_rate": 0.1, "epochs": 5},
        "lasso": {"regularisation": 0.001},
        "lasso_small_step": {"learning_rate": 0.01},
    },
    "neural_network": {
        "constant": {"sizes": (784, 300, 100, 10), "learning_rate": 0.3, "batch_size": 100, "epochs": 5},
        "decayed": {"decay": 0.9},
    },
    "cnn": {"base": {"learning_rate": 0.3, "batch_size": 100, "epochs": 10}},
    "distillation": {"student_labels_0": {"batch_size": 500}},
    "vae": {"train": {"epochs": 20, "n_latent": 10, "learning_rate": 1e-3}},
}
DATA = {"n_train": 60000, "n_test": 10000}


def results(**claims):
    """Return the results by section; a claim can be set by ``section__key=holds``."""
    flipped = {tuple(name.split("__")): holds for name, holds in claims.items()}
    sections = {*VALUES, *CLAIMS, *TABLES, *SETTINGS}
    return {
        section: Result(
            values={key: Value(number) for key, number in VALUES.get(section, {}).items()},
            tables=TABLES.get(section, {}),
            claims={key: claim(flipped.get((section, key), holds)) for key, holds in CLAIMS.get(section, {}).items()},
        )
        for section in sorted(sections)
    }


def claim(holds):
    """Return a claim that holds, or does not, by a little."""
    return Claim(holds, "the numbers say so", 0.1 if holds else -0.1)


@pytest.fixture
def world():
    """Return the results by section."""
    return results()


@pytest.fixture
def facts(world):
    """Return the world as facts."""
    return Facts.of_results(world, SETTINGS, data=DATA)


@pytest.fixture
def render_text(world, tmp_path):
    """Return a function that renders one template with the world."""

    def render_one(text, name="section.tex"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        context = {key: section_view(key, SectionResult(item, SETTINGS.get(key, {}))) for key, item in world.items()}
        return render(name, context, templates=tmp_path, root=tmp_path)

    return render_one
