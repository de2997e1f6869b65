"""Names, tags and answers are someone else's words: whatever they hold, they stay words."""

import re
import unicodedata
from html.parser import HTMLParser

import msgspec
import pytest
from markdown_it import MarkdownIt

from auditor.formats import FORMATS, html, markdown, renderer
from auditor.formats.json import parse
from auditor.formats.safe import h, m, m_block, m_code, visible

TAGS = """
html head meta title style body a svg defs pattern path div nav p ol li span button main header b h1 h2 h3 dl dt dd
section i em figure figcaption ul small table thead tbody tr th td details summary code pre wbr label input fieldset
legend output footer script
"""
ATTRIBUTES = """
lang data-head data-foot charset http-equiv content name class href width height aria-hidden id patternunits
patterntransform d aria-label type viewbox preserveaspectratio stroke-width role tabindex colspan scope data-s open
rel placeholder autocomplete value checked
"""


class Reader(HTMLParser):
    """Collects tags, attributes, links and text."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.links, self.text = [], set(), [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data):
        self.text.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")


@pytest.fixture(scope="module")
def page(hostile):
    return html.render(hostile)


@pytest.fixture(scope="module")
def read(page):
    reader = Reader()
    reader.feed(page)
    return reader


class TestHtml:
    def test_no_tag_or_attribute_comes_of_a_name(self, read):
        assert set(read.tags) <= set(TAGS.split())
        assert read.attributes <= set(ATTRIBUTES.split())
        assert read.tags.count("script") == read.tags.count("style") == 1

    def test_links_lead_into_the_page_or_to_https(self, read):
        assert {link.split(":")[0] for link in read.links if not link.startswith("#")} == {"https"}

    def test_every_name_is_there_as_text(self, read, hostile_names):
        text = "".join(read.text)
        for name in hostile_names:
            assert visible(name) in text

    def test_no_control_or_direction_character_is_left(self, page):
        left = {c for c in page if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co") and c not in "\n\t\u200d"}
        assert left == set()

    def test_a_rule_of_a_hostile_findings_file_cannot_break_out_of_its_id(self, hostile):
        name = '"><script>alert(1)</script>'
        rule = msgspec.structs.replace(hostile.rules[0], id=name)
        findings = [msgspec.structs.replace(f, rule=name, fingerprint=name) for f in hostile.findings[:3]]
        reader = Reader()
        reader.feed(html.render(msgspec.structs.replace(hostile, rules=[rule], findings=findings)))
        assert reader.tags.count("script") == 1


OURS = re.compile(r'<a id="[\w.-]+">|</a>|<!-- -->|<!-- auditor:summary [\w.-]+ -->\s*|</?details>|</?summary>')


def tokens(text):
    """Every token of a Markdown text, those inside of others too."""
    for token in MarkdownIt("commonmark").enable("table").enable("strikethrough").parse(text):
        yield token
        yield from token.children or ()


@pytest.mark.parametrize("render", [markdown.render, markdown.render_summary], ids=["full", "summary"])
class TestMarkdown:
    def test_no_markup_comes_of_a_name(self, render, hostile):
        for token in tokens(render(hostile)):
            if token.type in ("html_inline", "html_block"):
                assert OURS.sub("", token.content.strip()).strip() in ("", "Not assessed: 16 log sources, 16 findings")
            assert token.type not in ("image", "s_open")
            if token.type == "link_open":
                assert re.match(r"#|https://x\.example|https://learn", token.attrs["href"])

    def test_nothing_is_mentioned_and_no_address_becomes_a_link(self, render, hostile):
        for token in tokens(render(hostile)):
            if token.type == "text":
                assert not re.search(r"@\w|https?://|(?<!\w)www\.", token.content), token.content

    def test_every_table_keeps_its_columns(self, render, hostile):
        width = cells = 0
        for token in tokens(render(hostile)):
            if token.type == "tr_open":
                cells = 0
            elif token.type in ("th_open", "td_open"):
                cells += 1
            elif token.type == "thead_close":
                width = cells
            elif token.type == "tr_close" and width:
                assert cells == width
            elif token.type == "table_close":
                width = 0
        # A row with more cells than the head is cut by the reader, so the source is counted as well.
        for table in re.findall(r"(?:^\|.*\n)+", render(hostile), flags=re.MULTILINE):
            assert len({len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in table.splitlines()}) == 1

    def test_the_headings_are_ours(self, render, hostile):
        text = render(hostile)
        fenced = sum(line.startswith("#") for t in tokens(text) if t.type == "fence" for line in t.content.splitlines())
        headings = sum(line.startswith("#") for line in text.splitlines()) - fenced
        assert sum(token.type == "heading_open" for token in tokens(text)) == headings

    def test_no_control_or_direction_character_is_left(self, render, hostile):
        text = render(hostile)
        left = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co") and c not in "\n\t\u200d"}
        assert left == set()


class TestEveryFormat:
    @pytest.mark.parametrize("name", sorted(set(FORMATS) - {"json"}))  # which keeps what was said as it was said
    def test_no_control_or_direction_character_is_left(self, name, hostile):
        text = renderer(name)(hostile).removeprefix("\ufeff").replace("\r\n", "\n")
        left = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co") and c not in "\n\t\u200d"}
        assert left == set()

    @pytest.mark.parametrize("name", FORMATS)
    def test_a_pipeline_that_logs_it_obeys_only_us(self, name, hostile):
        for line in renderer(name)(hostile).splitlines():
            ours = "##vso[task.logissue " if name == "azure-pipelines" else ""
            assert not re.search(r"##(vso)?\[", line.removeprefix(ours), re.IGNORECASE), line
            assert name == "github" or not line.lstrip().startswith("::"), line


def test_the_findings_file_says_it_as_it_was_said(hostile):
    assert parse(renderer("json")(hostile).encode(), "x").findings == hostile.findings


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("kv-1", "kv-1", id="plain"),
        pytest.param("Größe 東京 ‘x’", "Größe 東京 ‘x’", id="letters of the world"),
        pytest.param("a\nb\tc\x00", "a‹U+000A›b‹U+0009›c‹U+0000›", id="control characters"),
        pytest.param("\x1b[31m\x7f", "‹U+001B›[31m‹U+007F›", id="terminal escape"),
        pytest.param(
            "a\u202eb\u2066c\u200bd\ufeff", "a‹U+202E›b‹U+2066›c‹U+200B›d‹U+FEFF›", id="direction and zero width"
        ),
        pytest.param("\U0001f469\u200d\U0001f467", "\U0001f469\u200d\U0001f467", id="emoji stay whole"),
        pytest.param("a\u200db", "a‹U+200D›b", id="joiner between letters"),
        pytest.param("\ud800", "‹U+D800›", id="half a surrogate pair"),
        pytest.param("a\u00a0b\u3000c", "a b c", id="spaces"),
        pytest.param("a\u2028b", "a‹U+2028›b", id="line separator"),
        pytest.param("##vso[x] ##[y] ## [z]", "#‹U+0023›vso[x] #‹U+0023›[y] ## [z]", id="commands of a log"),
        pytest.param(" ::add-mask::x", " :‹U+003A›add-mask::x", id="command at the start of a line"),
        pytest.param("::/0 a::b", "::/0 a::b", id="colons that are none"),
        pytest.param(7, "7", id="number"),
    ],
)
def test_visible(text, shown):
    assert visible(text) == shown


def test_visible_keeps_lines_where_asked():
    assert visible("a\r\nb\tc\x00", lines=True) == "a\nb\tc‹U+0000›"


def test_html_escapes_quotes_too():
    assert h("\"'<&>") == "&#34;&#39;&lt;&amp;&gt;"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        pytest.param("rg_pay_prod", "rg_pay_prod", id="underscores inside a word stay"),
        pytest.param("_x_", r"\_x\_", id="underscores at the edge"),
        pytest.param("a|b`c`[d](e)*", r"a\|b\`c\`\[d\](e)\*", id="marks"),
        pytest.param("<b>&amp;", "&lt;b&gt;&amp;amp;", id="tags and entities"),
        pytest.param("@a b@c.d", "@<!-- -->a b@<!-- -->c.d", id="mentions and addresses"),
        pytest.param("https://x www.y", "https:<!-- -->//x www<!-- -->.y", id="bare links"),
        pytest.param("# a", r"\# a", id="heading"),
        pytest.param("1. a", r"1\. a", id="list"),
        pytest.param("98.6%", "98.6%", id="a number is no list"),
        pytest.param("=cmd", r"\=cmd", id="formula"),
    ],
)
def test_markdown_escapes(text, written):
    assert m(text) == written


def test_code_spans_and_blocks_cannot_be_closed_from_inside():
    assert m_code("a`b") == "``a`b``"
    assert m_code("`") == "`` ` ``"
    assert m_code("a|b") == r"`a\|b`"
    assert m_block("```\nrm\n```", "sh") == "````sh\n```\nrm\n```\n````"
