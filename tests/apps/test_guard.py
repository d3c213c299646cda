"""What strangers try: each is told no before any page has heard of it."""

from __future__ import annotations

import pytest

from apps.serving.guard import LOOPBACK, Guard, Rules
from apps.serving.tokens import Sessions
from tests.fakes.asking import ask
from tests.fakes.cases import CASES

TOKEN = "t" * 43
COOKIE = "experiments_80"


async def page(scope, receive, send):
    """Answer anything, as marimo does: also to foreign pages."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    headers = [(b"content-type", b"text/html"), (b"access-control-allow-origin", b"*"), (b"server", b"x")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"secret page"})


@pytest.fixture
def sessions():
    return Sessions(TOKEN)


@pytest.fixture
def guard(sessions):
    return Guard(page, Rules(LOOPBACK, 80, sessions))


@pytest.fixture
def logged_in(sessions):
    return f"{COOKIE}={sessions.new_cookie()}"


@pytest.mark.parametrize("host", ["localhost:80", "127.0.0.1", "[::1]:80", "LOCALHOST:80"])
def test_the_names_of_this_machine_are_let_in(guard, logged_in, host):
    assert ask(guard, host=host, cookie=logged_in).text == "secret page"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:80",
        "localhost:81",
        "localhost.evil.example:80",
        "127.0.0.1.nip.io:80",
        "",
        None,
        "localhost:80@evil.example",
        "localhost:080000",
        "[::1",
        "127.1",
        "2130706433",
        "localhost\x00:80",
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_foreign_host_is_refused_also_on_loopback(guard, logged_in, host, kind):
    answer = ask(guard, kind=kind, host=host, cookie=logged_in, origin=f"http://{host}")
    assert answer.status in {400, 421, 1008}
    assert "secret" not in answer.text


def test_an_allowed_name_at_another_port_is_told_of_the_proxy_not_to_allow_it_again(guard):
    answer = ask(guard, host="localhost:443")
    assert answer.status == 421
    assert "--trusted-proxy" in answer.text
    assert "--allow-host" not in answer.text
    assert "--allow-host" in ask(guard, host="evil.example").text


def test_two_host_headers_are_refused(guard, logged_in):
    answer = ask(guard, host="localhost:80", cookie=logged_in, more=[(b"host", b"evil.example")])
    assert answer.status == 400


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "http://localhost", "https://localhost:80", "http://localhost:81"]
)
@pytest.mark.parametrize(("kind", "method"), [("websocket", "GET"), ("http", "POST")])
def test_a_socket_or_a_post_of_another_origin_is_refused(guard, logged_in, origin, kind, method):
    answer = ask(guard, kind=kind, method=method, cookie=logged_in, origin=origin)
    assert answer.status in {403, 1008}


@pytest.mark.parametrize(("kind", "method", "status"), [("websocket", "GET", 101), ("http", "POST", 200)])
def test_a_socket_or_a_post_of_our_own_page_is_let_through(guard, logged_in, kind, method, status):
    assert ask(guard, kind=kind, method=method, cookie=logged_in, origin="http://localhost:80").status == status


def test_a_foreign_page_can_neither_fetch_nor_embed(guard, logged_in):
    sent = {"cookie": logged_in, "sec_fetch_site": "cross-site"}
    assert ask(guard, sec_fetch_mode="no-cors", **sent).status == 403
    answer = ask(guard, sec_fetch_mode="navigate", **sent)
    assert (answer.status, answer.headers["x-frame-options"]) == (200, "DENY")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE"])
def test_other_methods_are_refused(guard, logged_in, method):
    assert ask(guard, method=method, cookie=logged_in, origin="http://localhost:80").status == 405


@pytest.mark.parametrize(
    "path",
    [
        "/log/../token",
        "/log/%2e%2e/token",
        "/log/%2E%2E%2ftoken",
        "/log/..%5ctoken",
        "//evil.example/",
        "/a%00b",
        "/log/.../..",
        "/a\\b",
        "/%252e%252e/token",
        "/./log",
        "/log/a\nb",
    ],
)
def test_a_path_that_could_be_read_in_two_ways_is_no_page(guard, logged_in, path):
    assert ask(guard, path, cookie=logged_in).status == 404


def test_every_answer_is_hardened_and_marimos_open_door_is_shut(guard, logged_in):
    headers = ask(guard, cookie=logged_in).headers
    assert "access-control-allow-origin" not in headers
    assert "server" not in headers
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_without_a_session_every_page_asks_for_the_token(guard):
    for path in ("/", "/apps/fleet/", "/notebooks/x/@file/1-a", "/log/a.html", "/health"):
        answer = ask(guard, path)
        assert (answer.status, "secret" in answer.text) == (401, False)
    assert ask(guard, "/apps/fleet/ws", kind="websocket", origin="http://localhost:80").status == 1008
    assert ask(guard, "/healthz").body == b"ok"


def test_the_token_is_traded_once_for_a_cookie_and_leaves_the_address(guard):
    answer = ask(guard, f"/apps/fleet/?experiment=arena&token={TOKEN}")
    assert (answer.status, answer.headers["location"]) == (303, "/apps/fleet/?experiment=arena")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie
    assert ask(guard, cookie=cookie.split(";")[0]).text == "secret page"


def test_the_login_form_trades_the_token_too(guard):
    form = f"token={TOKEN}&next=/apps/fleet/%3Frun%3Da".encode()
    answer = ask(guard, "/login", method="POST", body=form, origin="http://localhost:80")
    assert (answer.status, answer.headers["location"]) == (303, "/apps/fleet/?run=a")


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "/a\r\nb"]
)
def test_logging_in_never_leads_elsewhere(guard, target):
    from urllib.parse import urlencode

    form = urlencode({"token": TOKEN, "next": target}).encode()
    assert ask(guard, "/login", method="POST", body=form, origin="http://localhost:80").headers["location"] == "/"


def test_wrong_tokens_are_soon_not_answered_but_the_right_one_always_passes(guard):
    seen = [ask(guard, f"/?token=guess{number}").status for number in range(10_000)]
    assert seen.count(401) <= 20
    assert seen[-1] == 429
    assert ask(guard, f"/?token={TOKEN}").status == 303
    assert ask(guard, "/?token=wrong", client="10.0.0.9").status == 401


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_wrong_tokens_that_a_foreign_page_has_a_browser_send_lock_nobody_out(guard, site):
    for _ in range(50):
        assert ask(guard, "/?token=x", sec_fetch_site=site, sec_fetch_mode="navigate").status == 401
    assert ask(guard, "/?token=typo").status == 401


@pytest.mark.parametrize("before", (CASES / "serve" / "cookies_before_ours.txt").read_text().splitlines())
def test_a_cookie_of_another_program_never_hides_ours(guard, logged_in, before):
    assert ask(guard, cookie=before + logged_in).status == 200
    assert ask(guard, cookie=f"{logged_in}; {before}").status == 200


def test_a_form_that_never_ends_is_refused_in_time(guard, monkeypatch):
    monkeypatch.setattr("apps.serving.guard.DEADLINE_S", 0.05)
    assert ask(guard, "/login", method="POST", body=None, origin="http://localhost:80").status == 408


def test_a_session_goes_on_while_its_address_is_locked_out(guard, logged_in):
    for _ in range(20):
        ask(guard, "/?token=wrong")
    assert ask(guard, cookie=logged_in).status == 200


def test_a_link_from_another_site_asks_again_and_so_keeps_the_session(guard):
    answer = ask(guard, "/apps/fleet/?run=a&b=%22%3E", sec_fetch_site="cross-site", sec_fetch_mode="navigate")
    assert answer.status == 200
    assert "url=/apps/fleet/?run=a&amp;b=%22%3E" in answer.text


def test_a_proxy_is_believed_only_where_it_is_trusted(sessions, logged_in):
    said = {"x_forwarded_host": "lab.example", "x_forwarded_proto": "https", "x_forwarded_for": "1.1.1.1, 2.2.2.2"}
    names = frozenset({"localhost", "lab.example"})
    trusting = Guard(page, Rules(names, 80, sessions, trusted_proxy="10.0.0.1"))
    assert ask(trusting, client="10.0.0.1", cookie=logged_in, **said).status == 200
    assert "Secure" in ask(trusting, f"/?token={TOKEN}", client="10.0.0.1", **said).headers["set-cookie"]
    direct = ask(trusting, f"/?token={TOKEN}", client="10.0.0.7", **said)
    assert "Secure" not in direct.headers["set-cookie"]
    assert ask(trusting, client="10.0.0.7", host="lab.example:443", cookie=logged_in).status == 421


def test_a_lock_out_behind_a_proxy_meets_only_who_guessed(sessions):
    guard = Guard(page, Rules(frozenset({"localhost"}), 80, sessions, trusted_proxy="10.0.0.1"))
    for _ in range(20):
        last = ask(guard, "/?token=wrong", client="10.0.0.1", x_forwarded_for="6.6.6.6")
    assert last.status == 429
    assert ask(guard, f"/?token={TOKEN}", client="10.0.0.1", x_forwarded_for="7.7.7.7").status == 303


def test_a_full_server_says_so_and_opens_no_socket_more(sessions, logged_in):
    guard = Guard(page, Rules(LOOPBACK, 80, sessions, max_sockets=0))
    answer = ask(guard, "/apps/fleet/", cookie=logged_in)
    assert answer.status == 503
    assert "which is all that this server allows" in answer.text
    assert ask(guard, "/apps/fleet/ws", kind="websocket", cookie=logged_in, origin="http://localhost:80").status == 1008
    assert ask(guard, "/health", cookie=logged_in).status == 200


def test_what_is_typed_into_the_address_is_text_on_the_login_page(guard):
    answer = ask(guard, "/%3Cscript%3Ealert(1)%3C/script%3E?a=%22%3E%3Cimg%3E")
    assert "<script>alert" not in answer.text
    assert "<img>" not in answer.text
