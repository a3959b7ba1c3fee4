"""Errors as HTTP statuses and bodies."""

from __future__ import annotations

import strongroom
from strongroom.integrations.http import body_of, status_of


def test_every_error_has_a_status_and_a_body_without_what_the_service_keeps_to_itself() -> None:
    for kind in strongroom.errors.all_errors():
        error = kind("the message")
        body = body_of(error)
        assert body["code"] == error.code
        assert ("message" in body) == (status_of(error) < 500)
    assert status_of(strongroom.KeyConflictError("m")) == 409
    assert status_of(strongroom.SignatureRefusedError("m")) == 409
    assert status_of(strongroom.MalformedPayloadError("m")) == 400
    assert status_of(strongroom.InvalidSettingError("m")) == 500
    assert status_of(strongroom.RootKeyMissingError("m")) == 500
    assert status_of(strongroom.OutcomeUnknownError("m")) == 503
