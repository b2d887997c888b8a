// What the pages do beyond being read: search, copy, colours of code. Works from file://.
"use strict";

(() => {
  const root = document.body.dataset.root;
  const input = document.querySelector(".search input");
  const list = document.getElementById("found");
  let chosen = -1;

  // The index is loaded with the first use; a script, because file:// cannot be fetched.
  function load(then) {
    if (window.REFERENCE) return then();
    const script = document.createElement("script");
    script.src = root + "search-index.js";
    script.onload = then;
    document.head.append(script);
  }

  function make(tag, text, kind) {
    const made = document.createElement(tag);
    if (text) made.textContent = text;
    if (kind) made.className = kind;
    return made;
  }

  function result([address, method, template, title, , old], at) {
    const link = make("a");
    link.href = root + address;
    link.id = "found-" + at;
    link.setAttribute("role", "option");
    const name = make("span", title, old ? "old" : "");
    name.lang = "zh-Hans";
    link.append(make("span", method, "method " + method.toLowerCase()), " ", name, make("code", template));
    return link;
  }

  function open(shown) {
    list.hidden = !shown;
    input.setAttribute("aria-expanded", shown);
    input.removeAttribute("aria-activedescendant");
    chosen = -1;
  }

  function show() {
    open(input.value.trim() !== "");
    if (list.hidden) return;
    load(() => {
      const found = search(input.value, window.REFERENCE);
      list.replaceChildren(...found.map(result));
      if (!found.length) list.append(make("p", "Nothing found. What is not listed can be called all the same."));
    });
  }

  function choose(step) {
    const links = [...list.querySelectorAll("a")];
    if (!links.length) return;
    chosen = (chosen + step + links.length) % links.length;
    links.forEach((link, at) => link.setAttribute("aria-selected", at === chosen));
    links[chosen].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", links[chosen].id);
  }

  input.addEventListener("input", show);
  input.addEventListener("focus", show);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return; // these keys choose Chinese characters
    if (event.key === "ArrowDown" || event.key === "ArrowUp") choose(event.key === "ArrowDown" ? 1 : -1);
    else if (event.key === "Escape") { open(false); input.blur(); }
    else if (event.key === "Enter") {
      const link = list.querySelectorAll("a")[Math.max(chosen, 0)];
      if (link) location.href = link.href;
    } else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(input|textarea|select)$/i.test(document.activeElement.tagName)) return;
    event.preventDefault();
    input.focus();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest(".search")) open(false);
  });
  list.addEventListener("keydown", (event) => { // a result that Tab has reached
    if (event.key !== "Escape") return;
    input.focus();
    open(false);
  });
  document.querySelector(".search").addEventListener("submit", (event) => event.preventDefault());
  const asked = new URLSearchParams(location.search).get("q");
  if (asked) { input.value = asked; input.focus(); }

  // Strings, comments, numbers and words of Python, PHP and JavaScript: one look does for all.
  const parts = /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(#[^\n]*|\/\/[^\n]*)|\b(\d[\d_.]*)\b|\b(and|as|assert|async|await|const|def|for|from|if|import|in|is|None|not|null|print|return|static|True|False|true|false|try|except|with|else|raise)\b/g;
  for (const code of document.querySelectorAll("pre code")) {
    const text = code.textContent;
    const made = [];
    let at = 0;
    for (const hit of text.matchAll(parts)) {
      made.push(text.slice(at, hit.index), make("span", hit[0], hit[1] ? "s" : hit[2] ? "c" : hit[3] ? "n" : "w"));
      at = hit.index + hit[0].length;
    }
    code.replaceChildren(...made, text.slice(at));
    const button = make("button", "Copy");
    button.type = "button";
    button.addEventListener("click", () => copy(text, button));
    code.parentElement.append(button);
  }

  async function copy(text, button) {
    try {
      await navigator.clipboard.writeText(text);
    } catch { // some browsers keep the clipboard from pages on disk
      const area = make("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }
})();
