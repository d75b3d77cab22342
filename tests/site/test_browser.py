"""A published site in a real browser: search, pages, the keyboard, a telephone; nothing from elsewhere."""

from __future__ import annotations

import json
import shutil
import time

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import train
from hub_estimator.resolver import resolve
from hub_estimator.site import refreshing
from hub_estimator.site.publishing import publish
from hub_estimator.site.site_folder import Site
from hub_estimator.site.withdrawing import withdraw
from tests import text_data
from tests.resolver.hosting import read_folder
from tests.site import nginx
from tests.site.published import NAME

pytestmark = pytest.mark.one_tensorflow

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
HOSTILE = "</script><script>document.title = 'taken'</script><img src=x onerror=\"document.title='taken'\">"
PHONE, DESK = (390, 844), (1200, 900)


@pytest.fixture(autouse=True)
def fresh_graph():
    """Leaves these tests in eager mode, as programs with Keras are."""


@pytest.fixture(scope="module")
def served(made_module, tmp_path_factory):
    folder = tmp_path_factory.mktemp("browsed")
    site = folder / "site"
    (folder / "about.md").write_text(f"Vectors of film reviews.\n\n{HOSTILE}\n\n" + "x" * 500)
    for _ in range(3):
        publish(made_module, site, NAME, description=folder / "about.md")
    publish(made_module, site, "acme/images")
    withdraw(site, NAME, 2, f"Wrong labels. {HOSTILE}")
    # As a stranger's site has it: texts in each place where a page has one.
    path = site / "acme" / "images" / "1" / "version.json"
    about = json.loads(path.read_bytes())
    about["about"]["variants"][0]["signatures"][0]["name"] = HOSTILE
    about["training"] = {"step": 3, "metrics": {HOSTILE: 0.5}, "config": HOSTILE * 20}
    path.write_text(json.dumps(about))
    with Site.open(site).held():
        refreshing.refresh(Site.open(site))
    with nginx.serving(site, folder / "nginx") as url:
        yield url


@pytest.fixture(scope="module")
def downloads(tmp_path_factory):
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def start(tmp_path_factory, downloads):
    """Starts a browser with some of its options and preferences."""
    programs = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in programs:
        pytest.skip("chromium and chromedriver are not installed")
    started = []

    def start(*arguments, **preferences):
        options = webdriver.ChromeOptions()
        options.binary_location = programs[0]
        profile = tmp_path_factory.mktemp("profile")
        for argument in (
            *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *("--no-first-run", f"--user-data-dir={profile}", "--no-proxy-server"),
            *arguments,
        ):
            options.add_argument(argument)
        kept = {"download.default_directory": str(downloads)}
        options.add_experimental_option("prefs", kept | preferences)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = webdriver.ChromeService(executable_path=programs[1])
        started.append(webdriver.Chrome(options=options, service=service))
        return started[-1]

    yield start
    for browser in started:
        browser.quit()


@pytest.fixture(scope="module")
def browser(start):
    return start()


def find(browser, css):
    return browser.find_element("css selector", css)


def shown_models(browser):
    return [each.text for each in browser.find_elements("css selector", "#models h2") if each.text]


def complaints(browser):
    return [
        each["message"] for each in browser.get_log("browser") if "favicon" not in each["message"]
    ]


def settled_width(browser, wanted):
    """How wide the page is, once it is laid out for a screen that has just become another one."""
    end = time.monotonic() + 5
    while True:
        width = browser.execute_script("return document.documentElement.scrollWidth")
        if width == wanted or time.monotonic() > end:
            return width
        time.sleep(0.05)


def asked(browser):
    """The addresses that the browser asked for since the last call."""
    messages = (json.loads(each["message"])["message"] for each in browser.get_log("performance"))
    return [
        each["params"]["request"]["url"]
        for each in messages
        if each["method"] == "Network.requestWillBeSent"
    ]


def test_the_list_is_searched(browser, served):
    browser.get(served)
    assert shown_models(browser) == ["acme/images", NAME]
    assert find(browser, "#found").text == "2 models"
    find(browser, "body").send_keys("/")
    assert browser.switch_to.active_element == find(browser, "#query")
    browser.switch_to.active_element.send_keys("Film VECTORS")
    assert shown_models(browser) == [NAME]
    assert find(browser, "#found").text == "1 of 2 models"
    browser.switch_to.active_element.send_keys(" nothing")
    assert shown_models(browser) == []
    find(browser, "#query").clear()
    find(browser, "#query").send_keys(" ")
    assert len(shown_models(browser)) == 2


def test_from_the_list_to_a_version_by_the_keyboard_alone(browser, served):
    from selenium.webdriver.common.keys import Keys

    browser.get(served)
    for wanted in (NAME, "1"):
        for _ in range(60):
            focused = browser.switch_to.active_element
            focused.send_keys(Keys.TAB)
            if browser.switch_to.active_element.text == wanted:
                break
        browser.switch_to.active_element.send_keys(Keys.ENTER)
        time.sleep(0.5)
    assert browser.current_url == f"{served}/{NAME}/1/"
    assert "There is a newer one: version 3." in find(browser, ".notice").text


def test_the_handle_has_the_address_where_it_is_served(browser, served):
    browser.get(f"{served}/{NAME}/3")
    assert find(browser, ".handle code").text == f"{served}/{NAME}/3"
    assert f'hub.Module("{served}/{NAME}/3"' in find(browser, "main").text


def test_the_archive_is_downloaded(browser, served, downloads, made_module):
    browser.get(f"{served}/{NAME}/3")
    find(browser, "a.button").click()
    end = time.monotonic() + 30
    while not (downloads / "3.tar.gz").exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert read_folder(resolve(downloads / "3.tar.gz")) == read_folder(made_module)


@pytest.mark.parametrize(
    "path", ["/", f"/{NAME}/", f"/{NAME}/3/", f"/{NAME}/2/", "/acme/images/1/"]
)
def test_pages_of_strangers_do_nothing(browser, served, path):
    browser.get("about:blank")
    complaints(browser), asked(browser)
    browser.get(f"{served}{path}")
    assert "taken" not in browser.title
    assert complaints(browser) == []
    assert all(url.startswith(served) for url in asked(browser) if url.startswith("http"))
    assert browser.execute_script("return document.scripts.length") == 1


def test_the_policy_stops_what_a_page_could_be_made_to_do(browser, served):
    browser.get(f"{served}/{NAME}/3/")
    complaints(browser)
    browser.execute_script(
        "const made = document.createElement('script'); made.textContent = 'document.title = 1';"
        "document.body.append(made); const picture = new Image(); "
        "picture.src = 'http://127.0.0.1:9/x.png'; document.body.append(picture);"
    )
    assert browser.title != "1"
    told = " ".join(complaints(browser))
    assert "script-src 'self'" in told and "img-src 'self'" in told


@pytest.mark.parametrize(
    "path", ["/", f"/{NAME}/", f"/{NAME}/3/", f"/{NAME}/2/", "/acme/images/1/"]
)
@pytest.mark.parametrize("dark", [False, True])
def test_a_telephone_needs_no_sideways_scrolling(browser, served, path, dark):
    width, height = PHONE
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": True},
    )
    media = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    try:
        browser.get(f"{served}{path}")
        assert settled_width(browser, width) == width
        back = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, back[4:-1].split(", "))) < 200) == dark
        assert browser.execute_script(CONTRASTS) == []
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


# Texts whose contrast is less than WCAG's 4.5, by its formula.
CONTRASTS = """
const parse = (color) => color.match(/[0-9.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
  .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
const behind = (node) => {
  for (let at = node; at; at = at.parentElement) {
    const color = parse(getComputedStyle(at).backgroundColor);
    if (color.length === 3 || color[3] === 1) return color;
  }
  return [255, 255, 255];
};
return Array.from(document.querySelectorAll("main *, header *, footer *"))
  .filter((node) => Array.from(node.childNodes).some((c) => c.nodeType === 3 && c.data.trim()))
  .filter((node) => node.checkVisibility())
  .map((node) => {
    const a = light(parse(getComputedStyle(node).color)), b = light(behind(node));
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), node.textContent.slice(0, 30)];
  })
  .filter(([contrast]) => contrast < 4.5);
"""


def test_without_scripts_there_is_a_plain_list(start, served):
    plain = start(**{"profile.managed_default_content_settings.javascript": 2})
    plain.get(served)
    assert shown_models(plain) == ["acme/images", NAME]
    assert not find(plain, "#search").is_displayed()
    find(plain, f'a[href="{NAME}/"]').click()
    find(plain, 'a[href="3/"]').click()
    assert "Vectors of film reviews." in find(plain, ".description").text
    assert "https://YOUR-HOST/acme/reviews-en/3" in find(plain, ".handle").text


def test_the_folder_can_be_looked_at_without_a_server(browser, made_module, tmp_path):
    publish(made_module, tmp_path / "site", NAME)
    complaints(browser)
    browser.get(f"file://{tmp_path}/site/index.html")
    assert find(browser, "#query").is_displayed()
    browser.get(f"file://{tmp_path}/site/{NAME}/1/index.html")
    assert find(browser, ".button").value_of_css_property("font-weight") == "600"
    assert complaints(browser) == []


def test_the_address_in_the_browser_is_a_module_for_keras_and_for_training(
    browser, served, made_module, tmp_path, capsys
):
    browser.get(f"{served}/{NAME}")
    find(browser, 'a[href="3/"]').click()
    assert find(browser, "h1").text.startswith(NAME)
    handle = browser.current_url
    assert handle == f"{served}/{NAME}/3/"

    texts = {"text": tf.constant(["good", "bad"])}
    layer = hub.KerasLayer(handle)
    assert np.array_equal(layer(texts), hub.KerasLayer(str(made_module))(texts))

    text_data.write_data(tmp_path / "data.csv")
    macros = {"MODULE": handle, "TRAIN_DATA": str(tmp_path / "data.csv")}
    macros["EVAL_DATA"] = macros["TRAIN_DATA"]
    bindings = [*(f"{name}={value!r}" for name, value in macros.items()), *text_data.LEAN]
    flags = [f"--gin_bindings={binding}" for binding in bindings]
    model_dir = tmp_path / "model"
    assert train.run(["train", "--gin_file=smoke.gin", *flags, f"--model_dir={model_dir}"]) == 0
    capsys.readouterr()
    assert f"MODULE = '{handle}'" in (model_dir / "operative_config.gin").read_text()
    assert tf.train.latest_checkpoint(str(model_dir))
