"""GraphiQL in a real browser without a network: it loads, knows the schema, runs a query and follows a subscription."""

import shutil

import pytest

from api.settings import Mode, Settings
from tests.api.conftest import running

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium here")
    with playwright.sync_playwright() as running_playwright:
        found = running_playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def page(browser):
    """A page whose complaints, above all about the content security policy, fail the test."""
    opened = browser.new_page()
    complaints, addresses = [], set()
    opened.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda request: addresses.add(request.url.split("/")[2]))
    yield opened
    hosts = {address for address in addresses if not address.startswith("127.0.0.1:")}
    opened.close()
    assert complaints == []
    assert hosts == set()


def run(page, name, query):
    """Put a named operation into the editor and run it once the editor has read it."""
    editor = page.locator(".graphiql-query-editor .CodeMirror").first
    editor.evaluate("(element, query) => element.CodeMirror.setValue(query)", query)
    page.locator(".graphiql-tab-active", has_text=name).wait_for()
    page.locator(".graphiql-execute-button").first.click()


def answer_contains(page, text):
    page.locator(".result-window", has_text=text).wait_for(timeout=10_000)


def test_a_query_and_a_subscription_run_in_local_mode(world, page):
    world.events.append("molecule registered")
    with running(world) as address:
        page.goto(f"http://{address}/graphiql")
        page.locator(".graphiql-tab", has_text="Portfolio").wait_for()
        run(page, "Who", "query Who { viewer { name } }")
        answer_contains(page, "local")
        run(page, "Follow", "subscription Follow { events { text cursor } }")
        answer_contains(page, "molecule registered")
        world.append("programme moved")
        answer_contains(page, "programme moved")


def test_the_menu_opens_an_example_in_a_tab(world, page):
    with running(world) as address:
        page.goto(f"http://{address}/")
        page.get_by_role("link", name="The state graph, and what each advance requires").click()
        page.locator(".graphiql-tab-active", has_text="StateGraph").wait_for()
        page.get_by_text("Examples").click()
        page.get_by_role("link", name="Everything, as it is recorded").click()
        page.locator(".graphiql-tab-active", has_text="Events").wait_for()


def test_a_token_can_be_given_in_token_mode(world, page):
    world.events.append("molecule registered")
    with running(world, Settings(mode=Mode.TOKEN)) as address:
        page.goto(f"http://{address}/graphiql")
        page.get_by_label("API token").fill("mt_lead")
        page.get_by_role("button", name="Use").click()
        run(page, "Who", "query Who { viewer { name } }")
        answer_contains(page, "Lea")
        run(page, "Follow", "subscription Follow { events { text } }")
        answer_contains(page, "molecule registered")
