"""The page in a real browser, over a board of made submissions."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from board_server import serving
from made_submissions import errata_of_wins, make_submission

from fcrewardbench.report.comparison import part_differences
from fcrewardbench.submissions import numbers
from fcrewardbench.submissions.entries import read_entry
from fcrewardbench.submissions.numbers import rows_of
from leaderboard_app.build import build

pytest.importorskip("gradio")
sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None:
    pytest.skip("chromium is not installed (apt-get install chromium)", allow_module_level=True)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>"
FIELDS = ("base_model", "licence", "training_data", "hardware", "note")
RUN_FIELDS = ("adapter", "revision", "dtype", "template_sha256", "model")
REAL = Path(__file__).parents[1] / "submissions" / "rebuilt@1"
VIEWS = (
    "#/table",
    "#/table?columns=errors,categories,tokens,seconds,cost,parameters,kind,licence,date,overlap",
    "#/charts",
    "#/charts?chart=cost",
    "#/charts?chart=margins",
    "#/charts?chart=calibration",
    "#/compare?benchmark=open@2&a=made-up__good&b=made-up__fair",
    "#/hardest",
    "#/pair/open@2/core/open-2/core/0001",
    "#/model/open@2/made-up__good",
    "#/submit",
    "#/about",
)


@pytest.fixture(scope="module")
def submissions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("submissions")
    subsets = ("core", "abstain", "candidates", "minimal")
    made: dict[str, tuple[float, tuple[str, ...], dict[str, Any]]] = {
        "good": (2.0, subsets, {"kind": "classifier", "cost_per_1000": 0.1}),
        "fair": (1.2, ("core",), {"kind": "judge", "licence": "MIT", "cost_per_1000": 2.0}),
        "poor": (
            0.6,
            ("core",),
            {"kind": "likelihood", "cost_per_1000": 0.0, **dict.fromkeys(FIELDS, HOSTILE)},
        ),
        "blind": (0.0, ("core",), {"kind": "baseline", "organisation": "baseline"}),
    }
    for seed, (name, (skill, own, facts)) in enumerate(made.items()):
        run = {
            **dict.fromkeys(RUN_FIELDS, HOSTILE),
            "options": {HOSTILE: [{HOSTILE: HOSTILE}]},
            "versions": {HOSTILE: HOSTILE},
        }
        make_submission(
            root,
            name,
            skill=skill,
            seed=seed,
            subsets=own,
            facts=facts,
            run=run if name == "poor" else None,
        )
    for name in ("baseline__schema", "toolrm__smollm2-135m"):
        shutil.copytree(REAL / name, root / "rebuilt@1" / name)
    return root


@pytest.fixture(scope="module")
def site(submissions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("board") / "site"
    build(submissions, built, repository="https://example.org/board")
    return built


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with serving(site) as url:
        yield f"{url}/"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@contextmanager
def _watched(browser: Any, address: str, width: int = 1400, **settings: Any) -> Iterator[Any]:
    """A page that must not complain, nor ask another host for anything."""
    context = browser.new_context(viewport={"width": width, "height": 900}, **settings)
    opened = context.new_page()
    complaints: list[str] = []
    hosts: set[str] = set()
    opened.on(
        "console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None
    )
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    yield opened
    context.close()
    assert complaints == []
    assert hosts <= {urlsplit(address).netloc, ""}


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    with _watched(browser, address) as opened:
        yield opened


def _models(page: Any) -> list[str]:
    """The names of the shown models, from the top."""
    names: list[str] = page.eval_on_selector_all(
        "table.board tbody tr a[href^='#/model']", "links => links.map(link => link.textContent)"
    )
    return names


def _open(page: Any, url: str) -> None:
    page.goto(url)
    page.wait_for_selector("h1:not(:text('Loading'))")
    page.wait_for_load_state("networkidle")


def test_the_table_has_all_models_and_pins_the_baselines(page: Any, address: str) -> None:
    _open(page, address)
    assert _models(page) == ["good", "fair", "poor", "blind"]
    accuracy = page.get_by_role("button", name="Accuracy")
    accuracy.click()
    page.wait_for_function("() => location.hash.includes('sort=accuracy')")
    assert _models(page) == ["poor", "fair", "good", "blind"]
    sorted_by = page.locator("th[aria-sort]")
    assert sorted_by.get_attribute("aria-sort") == "ascending"


def test_filters_narrow_the_table_and_say_so(page: Any, address: str) -> None:
    _open(page, address)
    page.get_by_role("searchbox").fill("fai")
    page.wait_for_function("() => location.hash.includes('q=fai')")
    assert _models(page) == ["fair", "blind"]
    assert "1 of 3 models" in page.get_by_role("status").first.text_content()
    page.get_by_role("searchbox").fill("")
    page.get_by_label("Complete only").check()
    page.wait_for_function("() => location.hash.includes('complete=1')")
    assert _models(page) == ["good", "blind"]


def test_an_address_shows_again_what_was_seen(page: Any, address: str, browser: Any) -> None:
    _open(page, address)
    page.get_by_role("searchbox").fill("o")
    page.get_by_role("button", name="Strict").click()
    page.get_by_role("button", name="Strict").click()
    page.get_by_label("likelihood").check()
    page.wait_for_function("() => location.hash.includes('kinds=likelihood')")
    seen, url = _models(page), page.url
    assert seen == ["poor", "blind"]
    again = browser.new_page()
    _open(again, url)
    assert _models(again) == seen
    assert again.get_by_role("searchbox").input_value() == "o"
    assert again.get_by_label("likelihood").is_checked()
    assert again.locator("th[aria-sort]").inner_text() == page.locator("th[aria-sort]").inner_text()
    again.close()
    page.go_back()
    page.wait_for_function("() => !location.hash.includes('kinds')")
    assert not page.get_by_label("likelihood").is_checked()


def test_two_models_are_compared_and_their_differing_pairs_lead_on(
    page: Any, address: str, submissions: Path
) -> None:
    _open(page, address)
    for name in ("good", "fair"):
        page.locator("tr", has=page.get_by_role("link", name=name, exact=True)).get_by_role(
            "checkbox"
        ).check()
    page.get_by_role("button", name=re.compile("^Compare good with fair")).click()
    page.wait_for_selector("h1:text-matches('Compare')")
    page.wait_for_load_state("networkidle")
    columns = json.loads(
        page.evaluate("fetch('models/open@2/made-up__good.json').then(r => r.text())")
    )["against"]
    told = {name: values[columns["id"].index("made-up__fair")] for name, values in columns.items()}
    text = page.locator("main").inner_text()
    for count in ("both", "only_this", "only_other", "neither"):
        assert f"{told[count]:,}" in text
    assert f"{100 * told['difference']:.1f}" in text
    page.locator("main a[href^='#/pair/']").first.click()
    page.wait_for_function("() => location.hash.startsWith('#/pair/open@2/core/')")
    page.locator("main", has_text="Candidates").wait_for()


def test_a_pair_shows_everything(page: Any, address: str) -> None:
    index = json.loads(page.request.get(f"{address}pairs/open@2/core/index.json").text())
    place = index["error_type"].index(index["error_types"].index("parameter value error"))
    id = index["ids"][place]
    _open(page, f"{address}#/pair/open@2/core/{id}")
    chunk = page.request.get(f"{address}pairs/open@2/core/{place // 50}.json").json()
    item = chunk["items"][place % 50]
    text = page.locator("main").inner_text()
    assert item["messages"][-1]["content"][:40] in text
    assert item["tools"][0]["name"] in text
    assert item["candidates"][0]["calls"][0]["name"] in text
    assert "parameter value error" in text
    assert f"fcrb dispute {id}" in text
    for name in ("good", "fair", "poor", "blind"):
        assert name in text
    link = page.locator("a[href^='https://example.org/board/issues/new']")
    assert link.count() == 1
    page.get_by_role("link", name=re.compile("next", re.IGNORECASE)).click()
    page.wait_for_function(f"() => !location.hash.endsWith({json.dumps(id)})")


def test_what_is_not_there_is_said_in_a_sentence(page: Any, address: str) -> None:
    for way, expected in (
        ("#/model/open@2/nobody", "There is no model nobody"),
        ("#/pair/open@2/core/none", "none"),
        ("#/somewhere", "There is no page somewhere"),
    ):
        _open(page, f"{address}{way}")
        page.wait_for_function(f"() => document.body.innerText.includes({json.dumps(expected)})")
        assert "undefined" not in page.locator("main").inner_text()


def test_what_is_dropped_is_checked(page: Any, address: str, tmp_path: Path) -> None:
    folder = make_submission(tmp_path, "new", skill=1.6, seed=11)
    _open(page, f"{address}#/submit")
    files = page.locator("input[type=file]")
    assert files.count() >= 1
    for field, name in ((files.first, "card.json"), (files.last, "rows.parquet")):
        field.set_input_files(folder / name)
    page.get_by_role("button", name="Validate", exact=True).click()
    table = page.locator("table", has_text="As it would stand")
    table.wait_for(timeout=60_000)
    text = table.inner_text()
    assert text.index("made-up/good") < text.index("made-up/new") < text.index("made-up/fair")
    stands = page.locator("main dl").inner_text()
    assert "2 of 5, baselines among them" in stands
    assert re.search(r"core\s+\d+\.\d % .*strict \d+\.\d %, 1,500 items", stands)


def test_what_is_dropped_and_wrong_is_told_with_its_row(
    page: Any, address: str, tmp_path: Path
) -> None:
    folder = make_submission(tmp_path, "new", skill=1.6, seed=11)
    card = json.loads((folder / "card.json").read_text())
    card["results"]["core"]["metrics"]["accuracy"] = 1.0
    (folder / "card.json").write_text(json.dumps(card))
    _open(page, f"{address}#/submit")
    files = page.locator("input[type=file]")
    for field, name in ((files.first, "card.json"), (files.last, "rows.parquet")):
        field.set_input_files(folder / name)
    page.get_by_role("button", name="Validate", exact=True).click()
    told = page.locator("table", has_text="and the rows give")
    told.wait_for(timeout=60_000)
    assert "card.json" in told.inner_text()


@pytest.mark.parametrize("name", ["CSV", "JSON", "LaTeX", "BibTeX"])
def test_the_table_as_it_stands_can_be_had(page: Any, address: str, name: str) -> None:
    _open(page, f"{address}#/table?q=good")
    page.get_by_text("Download", exact=False).first.click()
    with page.expect_download() as got:
        page.get_by_role("button", name=name).click()
    text = Path(got.value.path()).read_text(encoding="utf-8")
    if name == "CSV":
        rows = list(csv.DictReader(text.splitlines()))
        assert [row["model"] for row in rows] == ["good", "blind"]
        assert 0.5 < float(rows[0]["accuracy"]) < 1
    elif name == "JSON":
        assert "good" in json.dumps(json.loads(text))
    elif name == "LaTeX":
        assert "\\toprule" in text
        assert "made-up" in text or "good" in text
    else:
        assert "2509.11963" in text


def test_a_phone_shows_three_columns_and_the_rest_on_tap(browser: Any, address: str) -> None:
    with _watched(browser, address, 390, has_touch=True) as page:
        _open(page, address)
        visible = page.eval_on_selector_all(
            "table.board thead tr:last-child th",
            "heads => heads.filter(head => head.offsetWidth > 0).length",
        )
        assert visible == 3
        for view in VIEWS:
            _open(page, f"{address}{view}")
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= 390, view
        _open(page, address)
        row = page.locator("table.board tbody tr").first
        row.locator("td.c-accuracy").tap()
        detail = page.locator("tr.detail", has_text="Kind")
        detail.wait_for()
        assert "classifier" in detail.inner_text()


def _background(page: Any) -> int:
    """The brightness of the page's background, 0 to 765."""
    colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    if colour == "rgba(0, 0, 0, 0)":
        colour = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return sum(int(part) for part in re.findall(r"\d+", colour)[:3])


def test_dark_follows_the_system_and_the_button(browser: Any, address: str) -> None:
    with _watched(browser, address, color_scheme="dark") as page:
        _open(page, address)
        assert _background(page) < 200
        page.locator("#theme").click()
        assert _background(page) > 600
        page.reload()
        assert _background(page) > 600


def test_what_a_stranger_writes_is_only_text(page: Any, address: str) -> None:
    _open(page, f"{address}#/model/open@2/made-up__poor")
    assert "<script>" in page.locator("main").inner_text()
    assert page.locator("main img, main script").count() == 0
    assert "owned" not in page.title()
    for view in (
        "#/table?columns=base,licence,kind,hardware,date,overlap",
        "#/charts",
        "#/charts?chart=margins&model=made-up__poor",
        "#/compare?benchmark=open@2&a=made-up__good&b=made-up__poor",
        "#/pair/open@2/core/open-2/core/0001",
    ):
        _open(page, f"{address}{view}")
        assert page.locator("main img, main script").count() == 0, view
        assert "owned" not in page.title()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1400), ("dark", 1400), ("light", 390)])
def test_axe_finds_nothing_serious(browser: Any, address: str, scheme: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    serious = {}
    with _watched(browser, address, width, color_scheme=scheme, bypass_csp=True) as page:
        for view in VIEWS:
            _open(page, f"{address}{view}")
            found = axe.run(page).response["violations"]
            faults = [one["id"] for one in found if one["impact"] in ("serious", "critical")]
            if faults:
                serious[view] = faults
    assert serious == {}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _static(site: Path) -> Iterator[str]:
    """The folder by a server that knows nothing of boards."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site)))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()


def test_the_folder_opens_as_a_static_site(browser: Any, site: Path) -> None:
    with _static(site) as address, _watched(browser, address) as page:
        for view in VIEWS:
            _open(page, f"{address}{view}")
            assert page.locator("h1").first.inner_text() != "Not shown", view
        assert page.locator("input[type=file]").count() == 0


def test_the_table_without_disputed_pairs_is_another_one(
    browser: Any, submissions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every pair that `good` alone is right on is disputed."""
    disputed = errata_of_wins(submissions, "good", "fair")
    monkeypatch.setattr(numbers, "errata", lambda: disputed)
    build(submissions, tmp_path / "site")
    with _static(tmp_path / "site") as address, _watched(browser, address) as page:
        _open(page, address)
        assert _models(page)[:2] == ["good", "fair"]
        page.get_by_label(f"Without disputed ({len(disputed)})").check()
        page.wait_for_function("() => location.hash.includes('disputed=without')")
        page.get_by_text("without the disputed ones").wait_for()
        assert _models(page)[:2] == ["fair", "good"]
        fair = read_entry(submissions / "open@2" / "made-up__fair").subset("core")
        sure = [row for row in fair if row.id not in disputed]
        shown = page.locator("tr", has=page.get_by_role("link", name="fair", exact=True))
        share = sum(row.computed()[1] for row in sure) / len(sure)
        assert f"{100 * share:.1f}" in shown.inner_text()


def test_in_a_space_the_page_tells_the_hub_its_address(browser: Any, site: Path) -> None:
    """The parent is ours: the hub documents the message, and was not there to be asked."""
    parent = """<iframe src="https://maker-board.hf.space/#/charts" width=1200 height=800></iframe>
    <script>addEventListener("message", (event) => {
      if (event.origin === "https://maker-board.hf.space") location.hash = event.data.hash;
    })</script>"""
    context = browser.new_context()
    context.route(
        "https://huggingface.co/**",
        lambda route: route.fulfill(body=parent, content_type="text/html"),
    )
    context.route(
        "https://maker-board.hf.space/**",
        lambda route: route.fulfill(
            path=site / (urlsplit(route.request.url).path[1:] or "index.html")
        ),
    )
    page = context.new_page()
    page.goto("https://huggingface.co/spaces/maker/board")
    frame = page.frame_locator("iframe")
    frame.get_by_role("link", name="Hardest").click()
    page.wait_for_function("() => location.hash === '#/hardest'")
    frame.locator("h1", has_text="ardest").wait_for()
    assert page.url == "https://huggingface.co/spaces/maker/board#/hardest"
    context.unroute_all(behavior="wait")
    context.close()


def test_charts_show_what_they_say_and_keep_what_was_chosen(page: Any, address: str) -> None:
    _open(page, f"{address}#/charts")
    few = page.locator("svg .hatched").count()
    assert 0 < few < page.locator("svg [class^='fill']").count()
    _open(page, f"{address}#/charts?chart=cost&x=cost")
    page.locator("svg path.pareto").first.wait_for(state="attached")
    assert page.locator("svg .chance").count() == 1
    assert page.locator("svg .whisker").count() == 2
    assert "1 model at 0 has no place on an axis of powers." in page.locator("main").inner_text()
    page.get_by_label("Subset").select_option("candidates")
    page.wait_for_function("() => location.hash.includes('subset=candidates')")
    page.wait_for_function("() => document.querySelectorAll('svg .chance').length === 0")
    _open(page, f"{address}#/charts?chart=margins&model=made-up__poor")
    # The view draws itself anew: the picker tells when it has.
    chosen = (
        "() => document.querySelector('main select option[value=made-up__poor]:checked') !== null"
    )
    page.wait_for_function(chosen)
    page.get_by_role("link", name="Calibration").click()
    page.get_by_text("can be read as probabilities").wait_for()
    assert "model=made-up__poor" in page.url
    page.wait_for_function(chosen)


def test_another_subset_keeps_the_columns(page: Any, address: str) -> None:
    _open(page, f"{address}#/table?columns=strict,licence")
    page.get_by_label("Subset").select_option("minimal")
    page.get_by_text("Accuracy on open@2/minimal").wait_for()
    heads = page.locator("table.board thead").inner_text()
    assert "Licence" in heads
    assert "Ties" not in heads


def test_pairs_whose_texts_do_not_ship_have_a_page_with_outcomes(page: Any, address: str) -> None:
    compared = "a=toolrm__smollm2-135m&b=baseline__schema"
    _open(page, f"{address}#/compare?benchmark=rebuilt@1&{compared}")
    page.locator("main a[href^='#/pair/rebuilt@1/']").first.click()
    page.locator("h2", has_text="Outcomes").wait_for()
    text = page.locator("main").inner_text()
    assert "toolrm/smollm2-135m" in text
    assert "baseline/schema" in text
    assert re.search(r"fcrb show \S+ --benchmark rebuilt", text)
    assert page.locator("a[href^='https://example.org/board/issues/new']").count() == 1


def test_differences_by_error_type_are_those_of_the_command(
    page: Any, address: str, submissions: Path
) -> None:
    """The page computes them itself; `fcrb compare` does with `part_differences`."""
    names = ("good", "fair")
    entries = [read_entry(submissions / "open@2" / f"made-up__{name}") for name in names]
    parts = part_differences(*(rows_of("open@2", entry.subset("core")) for entry in entries))
    _open(page, f"{address}#/compare?benchmark=open@2&a=made-up__good&b=made-up__fair")
    table = page.locator("table", has_text="by error type").first
    shown = {}
    for row in table.locator("tbody tr").all():
        name, n, *numbers = row.locator("th, td").all_text_contents()
        text = " ".join(numbers).replace("\N{MINUS SIGN}", "-")
        found = [float(number) for number in re.findall(r"[+-]?\d+\.\d", text)]
        shown[name] = (int(n.replace(",", "")), *found)
    assert shown.keys() >= {part.error_type for part in parts}
    for part in parts:
        n, *found = shown[part.error_type]
        assert n == part.n
        expected = [part.difference, part.interval.low, part.interval.high]
        assert found == pytest.approx([100 * value for value in expected], abs=0.051)
