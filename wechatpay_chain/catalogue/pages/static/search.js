// Which endpoints fit a query. Pure: the page gives it REFERENCE, a test gives it data.
"use strict";

// Every word must fit somewhere; the place says how well. Chinese has no spaces, so that
// a word of it that stands nowhere as a whole is looked for by its pairs of characters.
function search(query, data, limit = 30) {
  const words = wordsOf(query, data.fillers);
  if (!words.length) return [];
  const inFields = words.map((word) => fieldsWith(word, data));
  const table = new Map(Object.entries(data.synonyms));
  const alike = words.map((word) => table.get(word) || table.get(word.replace(/s$/, "")) || []);
  const found = [];
  data.entries.forEach((entry, place) => {
    let sum = entry[8];
    for (let at = 0; at < words.length; at++) {
      const points = score(words[at], entry, inFields[at], alike[at]);
      if (!points) return;
      sum += points;
    }
    found.push([sum, entry[2].length, place]);
  });
  found.sort((a, b) => b[0] - a[0] || a[1] - b[1] || a[2] - b[2]);
  return found.slice(0, limit).map((one) => data.entries[one[2]]);
}

function wordsOf(query, fillers) {
  const text = query.normalize("NFKC").trim();
  const whole = chained(text);
  const given = whole ? [whole] : text.split(/[\s,、;。!?]+/).map((word) => chained(word) || word);
  const found = given.map(plain).filter(Boolean);
  const words = found.filter((word) => !fillers.includes(word));
  return words.length ? words : found;
}

// The path of a chain as it stands in code: client.v3.pay.outTradeNo._out_trade_no_.get(),
// client["v3/..."].post(body), client.chain("v3/..."); "" where it is none.
function chained(text) {
  const code = /^(?:\w+ *= *)?(?:await +)?(?:client(?=[.[])|(?=(?:v\d|hk)\.))(.*)$/s.exec(text);
  if (!code) return "";
  const chain = code[1].replace(/\.chain\(\s*(["'].*?["'])\s*\)/g, "[$1]").replace(/\(.*$/s, "");
  if (/\s/.test(chain)) return "";
  const names = [...chain.matchAll(/\[["'](.*?)["']\]|(\w+)/g)];
  if (/^(?:get|post|put|patch|delete|paginate)(?:_async)?$/.test(names.at(-1)?.[2])) names.pop();
  return names.map(([, item, name]) => item ?? segment(name)).join("/");
}

function segment(name) {
  return name.replace(/^_(\w+)_$/, "{$1}").replace(/_$/, "");
}

// As everything is compared: out-trade-no and outTradeNo are out_trade_no.
function plain(text) {
  return text.replace(/([a-z0-9])(?=[A-Z])/g, "$1_").toLowerCase().replace(/-/g, "_").replace(/^\//, "");
}

function fieldsWith(word, data) {
  if (!data.lower) data.lower = data.fields.map((field) => field.replace(/-/g, "_").toLowerCase());
  const hits = new Map();
  data.lower.forEach((field, number) => {
    if (field.split(" ").includes(word)) hits.set(number, 12);
    else if (field.includes(word)) hits.set(number, 6);
  });
  return hits;
}

function score(word, entry, hits, alike) {
  const [, method, template, given, about, , fields, names] = entry;
  const path = plain(template), title = plain(given);
  if (path === word || title === word) return 200;
  let points = 0;
  if (title.includes(word)) points = 60 + (40 * word.length) / title.length;
  else if (path.split("/").includes(word)) points = 50;
  else if (path.includes(word)) points = 35;
  else if (method.toLowerCase() === word) points = 20;
  else if (plain(about).includes(word)) points = 15;
  for (const name of names.map(plain)) if (name.includes(word)) points = Math.max(points, 70 + (40 * word.length) / name.length);
  for (const form of alike) if (title.includes(form)) points = Math.max(points, 48 + (32 * form.length) / title.length);
  for (const number of fields) points = Math.max(points, hits.get(number) || 0);
  return points || byPairs(word, title + " " + about);
}

function byPairs(word, text) {
  if (word.length < 3 || !/^[\u3400-\u9fff]+$/.test(word)) return 0;
  let fit = 0;
  for (let at = 0; at + 2 <= word.length; at++) fit += text.includes(word.slice(at, at + 2));
  const share = fit / (word.length - 1);
  return share >= 0.5 ? 30 * share : 0;
}

if (typeof module !== "undefined") module.exports = { search };
