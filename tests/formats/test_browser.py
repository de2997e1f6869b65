"""The HTML report in a real browser: under its own policy, accessible, whole without scripts, from phone to desktop."""

import os
import shutil
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from auditor.formats import html

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
PAGES = ["realistic", "hostile", "empty"]
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage"
)


def missing(what):
    """Skip where a developer lacks the browser; never where it is to be checked."""
    message = f"{what} is missing: the HTML report was NOT checked in a browser"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def browser():
    binary = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
    driver = shutil.which("chromedriver")
    if not binary or not driver:
        missing("Chromium or chromedriver")
    try:
        from selenium import webdriver
    except ImportError:
        missing("selenium")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory() as profile:
        for flag in (*FLAGS.split(), f"--user-data-dir={profile}"):
            options.add_argument(flag)
        chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=driver))
        yield chrome
        chrome.quit()


@pytest.fixture(scope="session")
def site(tmp_path_factory, realistic, hostile, empty):
    """Serves the reports on the loopback address and remembers every request."""
    folder = tmp_path_factory.mktemp("site")
    for name, report in zip(PAGES, (realistic, hostile, empty), strict=True):
        (folder / f"{name}.html").write_text(html.render(report), encoding="utf-8")
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def log_request(self, *_):
            asked.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def show(browser, site):
    """Opens a report afresh: `show("realistic", width=390, dark=True, scripts=False)`."""
    address, _ = site

    def opened(name, *, width=1280, dark=False, scripts=True, fragment=""):
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not scripts})
        browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]},
        )
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
        )
        browser.get("about:blank")
        browser.get(f"{address}/{name}.html{fragment}")
        return browser

    yield opened
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def complaints(browser):
    return [entry["message"] for entry in browser.get_log("browser")]


@pytest.mark.parametrize("name", PAGES)
def test_one_request_and_a_silent_console(show, site, name):
    _, asked = site
    asked.clear()
    browser = show(name)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert asked == [f"/{name}.html"]
    loaded = browser.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert loaded == []
    assert complaints(browser) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_accessible(show, name, dark):
    if not AXE.is_file():
        missing("axe-core (npm install)")
    browser = show(name, dark=dark)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    browser.execute_script(AXE.read_text(encoding="utf-8"))
    found = browser.execute_async_script(
        "const done = arguments[0]; axe.run(document, {preload: false}).then(r => done({passed: r.passes.length, failed:"
        "r.violations.map(v => `${v.id}: ${v.nodes.slice(0, 3).map(n => n.html.slice(0, 200) + n.failureSummary)}`)}),"
        "e => done({passed: 0, failed: [String(e)]}))"
    )
    assert found["failed"] == []
    assert found["passed"] > 25  # it did look


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_the_page_never_scrolls_sideways(show, name, width):
    browser = show(name, width=width)
    for opened in ("false", "true"):
        browser.execute_script(f"document.querySelectorAll('details').forEach(d => d.open = {opened})")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_without_scripts_everything_is_there(show, realistic):
    browser = show("realistic", scripts=False)
    root = browser.execute_cdp_cmd("DOM.getDocument", {"depth": 1})["root"]["nodeId"]

    def ids(selector):
        nodes = browser.execute_cdp_cmd("DOM.querySelectorAll", {"nodeId": root, "selector": selector})["nodeIds"]
        pairs = (browser.execute_cdp_cmd("DOM.getAttributes", {"nodeId": node})["attributes"] for node in nodes)
        return {value for flat in pairs for key, value in zip(flat[::2], flat[1::2], strict=True) if key == "id"}

    wanted = {f"f-{f.fingerprint[:8]}" for f in realistic.findings if f.status in ("fail", "unknown")}
    assert ids(".aff tbody tr") == wanted
    assert {rule.id for rule in realistic.rules} <= ids("details.f") | ids("#all-rules tr")
    assert not browser.execute_cdp_cmd("DOM.querySelector", {"nodeId": root, "selector": ".has-js"})["nodeId"]


def test_hostile_names_run_nothing_and_make_nothing(show, hostile_names):
    browser = show("hostile")
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert (
        browser.execute_script(
            "return document.querySelectorAll('img, iframe, object, svg [onload], [onerror]').length"
        )
        == 0
    )
    assert browser.execute_script("return document.scripts.length") == 1
    links = browser.execute_script("return [...document.links].map(a => a.protocol)")
    assert set(links) <= {"http:", "https:"}  # http: is the page's own address, for links inside of it
    assert hostile_names[0] in browser.execute_script("return document.body.textContent")
    assert complaints(browser) == []


def test_an_address_of_a_finding_opens_its_rule(show, realistic):
    worst = [f for f in realistic.findings if f.status == "fail"][-1]
    target = f"f-{worst.fingerprint[:8]}"
    browser = show("realistic", fragment=f"#{target}")
    opened = f"return document.getElementById('{target}').closest('details').open"
    assert browser.execute_script(opened) is True
    browser.execute_script(
        f"document.getElementById('{target}').closest('details').open = false; location.hash = '#map'"
    )
    browser.execute_script(f"location.hash = '#{target}'")
    from selenium.webdriver.support.wait import WebDriverWait

    assert WebDriverWait(browser, 3).until(lambda chrome: chrome.execute_script(opened))


SHOWN = "return [...document.querySelectorAll('details.f')].filter(d => !d.hidden).map(d => d.id)"


def write(browser, text):
    browser.execute_script(
        "const q = document.getElementById('q'); q.value = arguments[0]; q.dispatchEvent(new Event('input'))", text
    )


def test_the_filters_show_rules_by_severity_and_by_words(show, realistic):
    browser = show("realistic")
    every = browser.execute_script(SHOWN)
    severity = {rule.id: rule.severity for rule in realistic.rules}

    browser.execute_script("document.querySelector('.filt input[value=high]').click()")
    assert browser.execute_script(SHOWN) == [rule for rule in every if severity[rule] != "high"]
    browser.execute_script("document.querySelector('.filt input[value=high]').click()")

    one = next(f for f in realistic.findings if f.status == "fail" and f.subject.name.startswith("kv-"))
    write(browser, one.subject.name.upper())
    shown = browser.execute_script(SHOWN)
    assert one.rule in shown and len(shown) < len(every)
    assert (
        browser.execute_script("return document.getElementById('hits').textContent")
        == f"{len(shown)} of {len(every)} rules"
    )
    rows = browser.execute_script(
        "return [...document.getElementById(arguments[0]).querySelectorAll('.aff tbody tr')].filter(r => !r.hidden)"
        ".map(r => r.firstElementChild.textContent)",
        one.rule,
    )
    assert rows == [one.subject.name]

    write(browser, "")
    assert browser.execute_script(SHOWN) == every
    assert browser.execute_script("return document.querySelectorAll('.aff tbody tr[hidden]').length") == 0


def test_the_buttons_work_under_the_policy(show):
    browser = show("realistic")
    browser.execute_script("document.getElementById('b-all').click()")
    assert browser.execute_script("return document.querySelectorAll('details.f:not([open])').length") == 0
    background = "return getComputedStyle(document.body).backgroundColor"
    before = browser.execute_script(background)
    browser.execute_script("document.getElementById('b-theme').click()")
    assert browser.execute_script(background) != before


def test_print_shows_what_is_folded_and_caps_long_tables(show):
    browser = show("realistic", scripts=False)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    root = browser.execute_cdp_cmd("DOM.getDocument", {"depth": 1})["root"]["nodeId"]
    node = browser.execute_cdp_cmd("DOM.querySelector", {"nodeId": root, "selector": "details.f:not([open]) .aff"})[
        "nodeId"
    ]
    assert browser.execute_cdp_cmd("DOM.getBoxModel", {"nodeId": node})["model"]["height"] > 10
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
