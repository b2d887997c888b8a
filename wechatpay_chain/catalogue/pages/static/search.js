// Which endpoints fit a query. Pure: the page gives it REFERENCE, a test gives it data.
"use strict";

// Every word must fit somewhere; the place says how well. Chinese has no spaces, so that
// a word of it that stands nowhere as a whole is looked for by its pairs of characters.
function search(query, data, limit = 30) {
  const words = query.toLowerCase().split(/[\s,，、]+/).filter(Boolean);
  if (!words.length) return [];
  const inFields = words.map((word) => fieldsWith(word, data));
  const found = [];
  data.entries.forEach((entry, place) => {
    // Among equals, what is deprecated comes later, and so does APIv2.
    let sum = (entry[5] ? -10 : 0) - (entry[2].startsWith("v2/") ? 5 : 0);
    for (let at = 0; at < words.length; at++) {
      const points = score(words[at], entry, inFields[at]);
      if (!points) return;
      sum += points;
    }
    found.push([sum, entry[2].length, place]);
  });
  found.sort((a, b) => b[0] - a[0] || a[1] - b[1] || a[2] - b[2]);
  return found.slice(0, limit).map((one) => data.entries[one[2]]);
}

function fieldsWith(word, data) {
  if (!data.lower) data.lower = data.fields.map((field) => field.toLowerCase());
  const hits = new Map();
  data.lower.forEach((field, number) => {
    if (field.split(" ").includes(word)) hits.set(number, 12);
    else if (field.includes(word)) hits.set(number, 6);
  });
  return hits;
}

function score(word, entry, hits) {
  const [, method, template, title, about, , fields] = entry;
  const path = template.toLowerCase();
  const plain = word.replace(/^\//, "");
  if (path === plain || title === word) return 200;
  let points = 0;
  if (title.toLowerCase().includes(word)) points = 60 + (40 * word.length) / title.length;
  else if (path.split("/").includes(plain)) points = 50;
  else if (plain && path.includes(plain)) points = 35;
  else if (method.toLowerCase() === word) points = 20;
  else if (about.toLowerCase().includes(word)) points = 15;
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
