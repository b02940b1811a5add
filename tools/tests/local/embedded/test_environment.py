"""The environments of the child processes."""

from pathlib import Path

import pytest

from pipeline.local.embedded.environment import exports, for_ministack, for_tools


def test_the_children_know_the_embedded_aws_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "HTTPS_PROXY", "SAM_CLI_POLL_DELAY"):
        monkeypatch.setenv(name, "misleading")
    exported = exports("https://127.0.0.1:1", tmp_path / "ca.pem", "key", "secret")
    for environment in (for_tools(exported, tmp_path), for_ministack(exported, tmp_path, 1)):
        assert "misleading" not in environment.values()
        assert environment["AWS_ENDPOINT_URL"] == "https://127.0.0.1:1"
        assert environment["AWS_CA_BUNDLE"] == str(tmp_path / "ca.pem")
    assert for_ministack(exported, tmp_path, 1)["AUTH"] == "true"
