"""A reader of pages that holds every page it fetches to the page contract."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element

import html5lib

with warnings.catch_warnings():
    # Starlette recommends another client than the one that it still works with.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

_XHTML = "{http://www.w3.org/1999/xhtml}"
_LABELLED = ("input", "select", "textarea")


class Page:
    """A parsed page."""

    def __init__(self, text: str) -> None:
        parser = html5lib.HTMLParser(strict=True)
        self.root: Element = parser.parse(text)
        self.text = text

    def all(self, tag: str, **attributes: str) -> list[Element]:
        found = self.root.iter(_XHTML + tag)
        return [element for element in found if all(element.get(name) == value for name, value in attributes.items())]

    def by_class(self, name: str) -> list[Element]:
        return [element for element in self.root.iter() if name in element.get("class", "").split()]

    def words(self, element: Element | None = None) -> str:
        return re.sub(r"\s+", " ", "".join((self.root if element is None else element).itertext())).strip()

    @property
    def heading(self) -> str:
        return self.words(self.all("h1")[0])

    def form(self, action: str) -> dict[str, str]:
        """The hidden fields of the first form that goes to an address beginning so."""
        form = next(form for form in self.all("form", method="post") if form.get("action", "").startswith(action))
        return {field.get("name", ""): field.get("value", "") for field in form.iter(_XHTML + "input") if field.get("type") == "hidden"}


class Browser:
    """One reader with cookies. ``get`` and ``post`` check every page of HTML that comes back."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def get(self, address: str, *, status: int = 200, **options: Any) -> Page:
        response = self.client.get(address, follow_redirects=False, **options)
        assert response.status_code == status, (address, response.status_code, response.text[:2000])
        return check(response)

    def post(self, address: str, data: Mapping[str, str | Sequence[str]] | None = None, *, status: int = 303) -> Any:
        response = self.client.post(address, data=data or {}, follow_redirects=False)
        assert response.status_code == status, (address, response.status_code, response.text[:2000])
        if response.text:
            check(response)
        return response

    def submit(self, page: Page, action: str, **fields: str) -> Page:
        """Sends a form of a page and follows where it leads."""
        target = next(form.get("action", "") for form in page.all("form") if form.get("action", "").startswith(action))
        response = self.post(target, {**page.form(action), **fields})
        return self.get(response.headers["location"].partition("#")[0])

    def accept(self, page: Page, receipt_number: str) -> Page:
        """Confirms a voice's labels by its own button, on the list or on the voice's page."""
        for form in page.all("form", method="post"):
            hidden = {field.get("name", ""): field.get("value", "") for field in form.iter(_XHTML + "input")}
            if form.get("data-accept") is not None and hidden["chosen"].startswith(f"{receipt_number}:"):
                return self.get(self.post(form.get("action", ""), hidden).headers["location"])
        raise AssertionError(f"no button for {receipt_number}")


def check(response: Any) -> Page:
    """The contract of every page."""
    assert response.headers["content-type"].startswith("text/html"), response.headers
    assert "default-src 'none'" in response.headers["content-security-policy"]
    page = Page(response.text)
    assert page.root.get("lang") == "ja"
    assert len(page.all("h1")) == 1
    assert page.heading
    head = page.all("head")[0]
    titles = list(head.iter(_XHTML + "title"))
    assert len(titles) == 1
    assert (titles[0].text or "").count("｜") >= 1, "a title names the page before the site"
    assert len(page.all("main")) == 1
    identifiers = Counter(element.get("id") for element in page.root.iter() if element.get("id"))
    assert not [name for name, count in identifiers.items() if count > 1]
    _check_labels(page)
    _check_nothing_inline(page)
    _check_references(page, set(identifiers))
    for form in page.all("form", method="post"):
        names = {field.get("name") for field in form.iter(_XHTML + "input")}
        assert "csrf_token" in names, form.get("action")
    return page


def _check_labels(page: Page) -> None:
    labelled = {label.get("for") for label in page.all("label")}
    inside = {id(field) for label in page.all("label") for tag in _LABELLED for field in label.iter(_XHTML + tag)}
    for tag in _LABELLED:
        for field in page.all(tag):
            if field.get("type") not in ("hidden", "submit"):
                assert field.get("id") in labelled or id(field) in inside, field.attrib
    for button in page.all("button"):
        assert page.words(button), "a button without a name"
    for link in page.all("a"):
        assert page.words(link), ("a link without a name", link.attrib)


def _check_nothing_inline(page: Page) -> None:
    for element in page.root.iter():
        assert "style" not in element.attrib, element.attrib
        assert not [name for name in element.attrib if name.startswith("on")], element.attrib
        for name in ("href", "src", "action", "hx-get", "hx-post"):
            assert not re.match(r"(https?:)?//|javascript:|data:", element.get(name, "")), element.attrib
    assert not page.all("style")
    assert all(script.get("src") for script in page.all("script"))


def _check_references(page: Page, identifiers: set[str | None]) -> None:
    for element in page.root.iter():
        for name in ("for", "aria-labelledby", "aria-describedby", "aria-controls"):
            assert set(element.get(name, "").split()) <= identifiers, (name, element.attrib)
        href = element.get("href", "")
        assert not href.startswith("#") or href[1:] in identifiers, href
