"""The tables of the emulated service.

Column names are the API's field names in snake case. Times are texts as the API writes them, which sort in
the order of time. `place` is a random number: the position of a row in a list for which the caller asked no
order.

An evaluation holds its end from the beginning: `outcome`, `score` and the other results are decided when it
is created, and `settles_at` says from when on they can be seen. Reads compare it with the server's clock (see
`evaluations.py`), so the emulator judges without a background task.
"""

from __future__ import annotations

__all__ = ["SCHEMA"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS products (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL, created_at TEXT NOT NULL,
    deleted_at TEXT, place INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS versions (
    id TEXT PRIMARY KEY, product_id TEXT NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL,
    description TEXT, system_prompt TEXT, model_id TEXT, dataset_description TEXT, dataset_uri TEXT,
    guardrails TEXT, parent_version_id TEXT, facts TEXT, created_at TEXT NOT NULL, deleted_at TEXT,
    place INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS metrics (
    id TEXT PRIMARY KEY, product_id TEXT, name TEXT NOT NULL, source TEXT NOT NULL, description TEXT,
    judge_prompt TEXT, evaluator_model_name TEXT, evaluation_params TEXT, tags TEXT,
    pass_threshold REAL NOT NULL, excluded_from_analytics_at TEXT, legacy_at TEXT, disabled_at TEXT,
    created_at TEXT NOT NULL, deleted_at TEXT, place INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS specifications (
    id TEXT PRIMARY KEY, product_id TEXT NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL,
    type TEXT NOT NULL, test_type TEXT, test_variant TEXT, created_at TEXT NOT NULL, deleted_at TEXT,
    place INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS specification_metrics (
    specification_id TEXT NOT NULL, metric_id TEXT NOT NULL, PRIMARY KEY (specification_id, metric_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS specification_tests (
    specification_id TEXT NOT NULL, test_id TEXT NOT NULL, PRIMARY KEY (specification_id, test_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tests (
    id TEXT PRIMARY KEY, product_id TEXT, name TEXT NOT NULL, type TEXT NOT NULL, created_at TEXT NOT NULL,
    deleted_at TEXT, place INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS test_cases (
    id TEXT PRIMARY KEY, test_id TEXT NOT NULL, expected_output TEXT, input TEXT NOT NULL,
    context TEXT NOT NULL, created_at TEXT NOT NULL, deleted_at TEXT, place INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY, version_id TEXT NOT NULL, custom_id TEXT, user_id TEXT, test_case_id TEXT,
    stopping_reason TEXT, error TEXT, status TEXT NOT NULL, created_at TEXT NOT NULL, deleted_at TEXT,
    run_id TEXT, product_id TEXT NOT NULL, is_production INTEGER NOT NULL, context TEXT, metadata TEXT,
    refusal TEXT, is_skipped INTEGER NOT NULL DEFAULT 0, place INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS sessions_by_version ON sessions (version_id);
CREATE INDEX IF NOT EXISTS sessions_by_custom_id ON sessions (custom_id, version_id)
    WHERE custom_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS sessions_by_run ON sessions (run_id) WHERE run_id IS NOT NULL;

CREATE TABLE IF NOT EXISTS inference_results (
    id TEXT PRIMARY KEY, session_id TEXT NOT NULL, user_id TEXT, turn_index INTEGER NOT NULL,
    status TEXT NOT NULL, error TEXT, latency REAL, input_tokens INTEGER, output_tokens INTEGER,
    cache_read_input_tokens INTEGER, tokens INTEGER, cost_per_input_token REAL, cost_per_output_token REAL,
    cost_per_cache_read_input_token REAL, cost REAL, conversation_simulator_version TEXT,
    created_at TEXT NOT NULL, deleted_at TEXT, retrieval_context TEXT, input TEXT, actual_output TEXT,
    place INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS inference_results_by_session ON inference_results (session_id);

CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, product_id TEXT NOT NULL, version_id TEXT, user_id TEXT, ordinal INTEGER NOT NULL,
    custom_id TEXT, opened_by TEXT NOT NULL, kind TEXT, ends_at TEXT, request TEXT, created_at TEXT NOT NULL,
    deleted_at TEXT, place INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS runs_by_product ON runs (product_id, created_at);

CREATE TABLE IF NOT EXISTS evaluations (
    id TEXT PRIMARY KEY, metric_id TEXT NOT NULL, session_id TEXT NOT NULL, user_id TEXT,
    version_id TEXT NOT NULL, product_id TEXT NOT NULL, test_case_id TEXT, inference_result_id TEXT,
    run_id TEXT, created_at TEXT NOT NULL, deleted_at TEXT, settles_at TEXT NOT NULL, outcome TEXT NOT NULL,
    score REAL, reason TEXT, error TEXT, can_retry INTEGER NOT NULL, credits_used INTEGER,
    judge_input_tokens INTEGER, judge_output_tokens INTEGER, retries_attempted INTEGER NOT NULL DEFAULT 0,
    human_evaluator_id TEXT, human_evaluator_started_at TEXT, human_evaluator_finished_at TEXT,
    human_score REAL, human_reason TEXT, failed_turns TEXT NOT NULL, place INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS evaluations_by_session ON evaluations (session_id);
CREATE INDEX IF NOT EXISTS evaluations_by_run ON evaluations (run_id, session_id) WHERE run_id IS NOT NULL;
"""
