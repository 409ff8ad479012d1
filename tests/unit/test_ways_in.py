"""Ways in as they are written, taken apart, and judged; keys that are nearly right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway_acceptance.environment import load_environment
from gateway_acceptance.redaction import SECRET_HEADERS
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.raw import RawRequest
from suites.api.access.bundles import at_the_doors, core_spellings, few, of_every_kind
from suites.api.access.credentials import KEY_HEADERS, RARER_HEADERS, of_credentials
from suites.api.access.names import other_names
from suites.api.access.said import of_methods, of_proxies
from suites.api.access.sockets import handshakes
from suites.api.access.way import WayIn, together
from suites.api.access.ways import of_host, of_spellings, spelled
from suites.api.auth.nearly import nearly
from suites.api.auth.served import judged_the_body, ran_behind_the_guard
from suites.api.auth.tried import LIST

ENVIRONMENT = load_environment("local", Path(__file__).parents[2], {})
KEY = "sk-" + "0123456789abcdefABCDEF" * 2
PUBLIC = "/health/liveliness"


def answer(status: int | None, body: object, length: int | None = None) -> Exchange:
    content = json.dumps(body).encode()
    headers = () if length is None else (("content-length", str(length)),)
    return Exchange("POST", "u", (), b"", status=status, headers=headers, chunks=((0.0, content),))


def written(way: WayIn) -> bytes:
    """The bytes of a way; ValueError where a line end would make two requests of it."""
    headers = [*(("host", host) for host in way.hosts or ("x",)), *way.headers]
    return RawRequest(way.method, way.target, headers, version=way.version).written()


@pytest.mark.parametrize("family", [of_host, of_proxies, of_spellings, of_every_kind, few])
def test_each_way_has_a_name_and_is_one_request(family: object) -> None:
    ways = family(ENVIRONMENT)  # type: ignore[operator]
    assert len({way.name for way in ways}) == len(ways)
    assert all(written(way).count(b"\r\n\r\n") == 1 for way in ways)


def test_credentials_and_methods_are_one_request_each() -> None:
    ways = [*of_credentials(), *of_methods()]
    assert len({way.name for way in ways}) == len(ways)
    assert all(written(way).count(b"\r\n\r\n") == 1 for way in ways)
    assert b" HTTP/1.0\r\n" in written(next(way for way in ways if way.name == "HTTP/1.0"))


def test_a_path_is_spelt_in_other_words_only() -> None:
    for path in (LIST, "/v1/chat/completions", "/metrics"):
        found = spelled(path, PUBLIC)
        assert path not in found
        assert {f"/{path}", f"/.{path}", f"{path}/", f"{path}%00", f"{PUBLIC}/../..{path}"} <= set(found)
    assert set(core_spellings(PUBLIC)) <= set(spelled(LIST, PUBLIC))
    assert len(core_spellings(PUBLIC)) > 15


def test_a_way_leads_to_another_route() -> None:
    way = WayIn("a name", target=f"http://localhost{LIST}?x=1").at("POST", "/v1/embeddings")
    assert (way.method, way.target) == ("POST", "http://localhost/v1/embeddings?x=1")


def test_a_bundle_is_taken_apart_and_names_no_made_up_value() -> None:
    way = WayIn("all", headers=[("x-user", "admin"), ("x-api-key", "sk-" + "a" * 48)])
    parts = way.one_by_one()
    assert [part.name for part in parts] == ["x-user: admin", "x-api-key"]
    assert [len(part.headers) for part in parts] == [1, 1]


def test_smoke_asks_for_every_kind_once() -> None:
    bundles = at_the_doors(ENVIRONMENT)
    names = [part.name for bundle in bundles for part in bundle.parts]
    assert "what proxies might have said" in names
    assert (len(bundles), len(names)) == (2, 6)
    for bundle in bundles:
        assert list(bundle.headers) == [pair for part in bundle.parts for pair in part.headers]
        assert len(bundle.headers) <= 90, "servers take a hundred headers and no more"
        assert bundle.target in {part.target for part in bundle.parts}
        assert bundle.hosts in [part.hosts for part in bundle.parts]


def test_ways_that_cannot_be_one_request_are_not_put_together() -> None:
    localhost, elsewhere = (WayIn(host, hosts=[host]) for host in ("localhost", "elsewhere"))
    with pytest.raises(ValueError, match="one Host"):
        together("both", [localhost, elsewhere])


def test_a_bundle_of_ways_is_taken_apart_into_each_at_its_route() -> None:
    cookie = WayIn("a cookie", headers=[("cookie", "a=b")])
    said = WayIn("said", headers=[("x-user", "admin"), ("x-debug", "1")])
    bundle = together("all", [cookie, said, WayIn("localhost", hosts=["localhost"])]).at("POST", "/v1/x")
    found = [(part.name, part.target, len(part.headers), part.hosts) for part in bundle.one_by_one()]
    assert found == [
        ("a cookie", "/v1/x", 1, None),
        ("x-user: admin", "/v1/x", 1, None),
        ("x-debug: 1", "/v1/x", 1, None),
        ("localhost", "/v1/x", 0, ["localhost"]),
    ]


def test_every_header_that_holds_a_made_up_key_is_tried_once() -> None:
    assert not set(KEY_HEADERS) & set(RARER_HEADERS)
    assert SECRET_HEADERS - {"authorization", "cookie", "set-cookie"} <= {*KEY_HEADERS, *RARER_HEADERS}


def test_handshakes_say_what_they_are() -> None:
    shakes = handshakes(["x/?"])
    assert len({shake.what for shake in shakes}) == len(shakes)
    assert all(("upgrade", "websocket") in shake.headers for shake in shakes)


def test_other_names_are_no_routes_of_the_contract() -> None:
    routes = [str(route) for route in other_names(ENVIRONMENT)]
    assert len(set(routes)) == len(routes)
    assert not {"GET /v1/models", "POST /v1/chat/completions", "POST /v1/embeddings"} & set(routes)


def test_whoever_is_told_what_is_wrong_with_the_body_is_past_the_guard() -> None:
    refusal = answer(401, {"error": {"message": "No api key passed in."}})
    told = answer(422, {"detail": [{"loc": ["body", "duration"], "msg": "Input should be a valid string"}]})
    assert judged_the_body(told, [refusal])
    assert not judged_the_body(told, [answer(422, {"detail": "no"}), refusal])
    assert not judged_the_body(told, [answer(401, {"detail": "duration: field required"})])
    assert not judged_the_body(answer(400, {"error": {"message": "Invalid host header"}}), [refusal])
    assert not judged_the_body(answer(401, {"detail": "field required"}), [refusal])


def test_head_counts_where_it_tells_the_length_of_the_list() -> None:
    whole = answer(200, {"data": [1, 2]})
    assert ran_behind_the_guard(answer(200, "", length=len(whole.body)), whole)
    for other in (answer(200, "", length=0), answer(200, ""), answer(401, "", length=len(whole.body))):
        assert not ran_behind_the_guard(other, whole)


def test_no_key_that_is_nearly_right_holds_the_right_one() -> None:
    found = nearly(KEY)
    assert len(found) > 20
    assert all(KEY not in value for value in found.values())
    assert found["capitals for small letters"].lower() == KEY.lower()
    assert found["its first 8 characters and others"][:8] == KEY[:8]
    assert found["its last 4 characters after others"][-4:] == KEY[-4:]
    assert {len(found["its length and kind of characters"]), len(found["another last character"])} == {
        len(KEY)
    }


def test_a_short_key_and_one_without_letters_have_some_as_well() -> None:
    for key in ("12345678", "--------", "sk-abcde"):
        found = nearly(key)
        assert found
        assert key not in found.values()
