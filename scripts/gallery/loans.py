"""Synthetic loans with ten features: those of scripts/train_risk.py, looked at more closely."""

from __future__ import annotations

import numpy as np

from scripts import train_risk
from scripts.train_risk import Loans, borrowers, drawn

FEATURES = train_risk.FEATURES | {
    "loan_to_income": "loan / yearly income, 0.05 to 8",
    "credit_used": "part of the granted credit lines that is used, 0 to 1",
    "enquiries": "other lenders asked in the last six months",
    "employed_years": "years in the present employment",
    "savings_months": "savings / monthly spending, 0 to 36",
}
"""Name of each column of "x" → what it holds."""


def make_loans(rows: int, seed: int) -> Loans:
    """Loans whose log-odds of default follow a known formula, bent on purpose, with luck on top."""
    rng = np.random.default_rng(seed)
    known = income, debt_ratio, collateral_ratio, late_payments, account_age = borrowers(rng, rows)
    loan_to_income = np.clip(rng.lognormal(0.2, 0.6, rows), 0.05, 8)
    credit_used = rng.beta(1.5 + debt_ratio, 2.5, rows)
    enquiries = rng.poisson(0.8 + credit_used)
    employed_years = rng.gamma(1.5, 3.5, rows)
    savings_months = np.clip(rng.gamma(1.2, 4.0, rows), 0, 36)
    log_odds = (
        -2.4
        - 1.0 * np.log(income / 50)
        + 3.0 * (debt_ratio - 0.4)
        - 2.2 * (collateral_ratio - 1.2)
        + 0.6 * late_payments
        - 0.06 * account_age
        + 2.5 * (debt_ratio > 0.5) * (collateral_ratio < 1.4)
        + 0.9 * np.maximum(loan_to_income - 1.5, 0)
        + 18.0 * (credit_used - 0.4) ** 2
        + 0.7 * enquiries * (account_age < 5)
        - 0.8 * np.tanh(employed_years / 4)
        - 2.0 * np.tanh(savings_months / 4) * (income < 50)
    )
    columns = (*known, loan_to_income, credit_used, enquiries, employed_years, savings_months)
    return drawn(rng, columns, log_odds)
