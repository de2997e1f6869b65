(function () {
"use strict";
var d = document, root = d.documentElement;
function $(selector, from) { return Array.prototype.slice.call((from || d).querySelectorAll(selector)); }
function el(id) { return d.getElementById(id); }
root.classList.add("has-js");

function reveal() {
  var id = "";
  try { id = decodeURIComponent(location.hash.slice(1)); } catch (e) { return; }
  var target = id && el(id);
  for (var node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
  if (target) target.scrollIntoView();
}
addEventListener("hashchange", reveal);

var rules = $("details.f"), query = el("q"), boxes = $(".filt input[type=checkbox]"), hits = el("hits"), texts = null;
function read() {
  texts = rules.map(function (rule) {
    var rows = $(".aff tbody tr", rule), all = rule.textContent.toLowerCase();
    return {all: all, head: rule.firstElementChild.textContent.toLowerCase(), rows: rows,
            row: rows.map(function (row) { return row.textContent.toLowerCase(); }), cut: false};
  });
}
function filter() {
  if (!texts) read();
  var wanted = query.value.trim().toLowerCase(), count = 0, on = {};
  boxes.forEach(function (box) { on[box.value] = box.checked; });
  rules.forEach(function (rule, i) {
    var text = texts[i], show = on[rule.dataset.s] && (!wanted || text.all.indexOf(wanted) >= 0);
    rule.hidden = !show;
    if (!show) return;
    count++;
    var inRows = wanted && text.head.indexOf(wanted) < 0 && text.row.some(function (row) { return row.indexOf(wanted) >= 0; });
    if (!inRows && !text.cut) return;
    text.rows.forEach(function (row, k) { row.hidden = !!inRows && text.row[k].indexOf(wanted) < 0; });
    text.cut = !!inRows;
  });
  hits.textContent = (count === rules.length ? "" : count + " of ") + rules.length + (rules.length === 1 ? " rule" : " rules");
}
if (query) {
  query.addEventListener("input", filter);
  boxes.forEach(function (box) { box.addEventListener("change", filter); });
}

d.addEventListener("click", function (event) {
  var button = event.target.closest && event.target.closest(".cp");
  if (!button) return;
  var pre = button.closest(".cmd").querySelector("pre");
  function done() { button.textContent = "Copied"; setTimeout(function () { button.textContent = "Copy"; }, 1500); }
  function select() {
    var range = d.createRange(), chosen = getSelection();
    range.selectNodeContents(pre); chosen.removeAllRanges(); chosen.addRange(range);
    d.execCommand("copy"); done();
  }
  if (navigator.clipboard) navigator.clipboard.writeText(pre.textContent).then(done, select); else select();
});

var all = el("b-all"), open = false;
all.addEventListener("click", function () {
  open = !open;
  rules.forEach(function (rule) { rule.open = open; });
  all.textContent = open ? "Collapse all" : "Expand all";
});
var theme = el("b-theme"), dark = matchMedia("(prefers-color-scheme:dark)").matches;
function label() { theme.textContent = dark ? "Light" : "Dark"; }
label();
theme.addEventListener("click", function () { dark = !dark; root.dataset.t = dark ? "dark" : "light"; label(); });
el("b-print").addEventListener("click", function () { print(); });
var closed = [];
addEventListener("beforeprint", function () {
  closed = $("details").filter(function (part) { return !part.open; });
  closed.forEach(function (part) { part.open = true; });
});
addEventListener("afterprint", function () { closed.forEach(function (part) { part.open = false; }); });
reveal();
})();
