/* Which fields are shown for these answers: the names whose conditions hold, decided as the server decides it. */
function anchorShown(fields, steps, answers) {
  "use strict";

  function plain(value) {
    if (value === null || value === undefined || value === false) return "";
    if (value === true) return "true";
    if (typeof File === "function" && value instanceof File) return value.name; // that there is one is all to be asked
    if (typeof value === "number" || typeof value === "string") return String(value).trim().toLowerCase();
    return "";
  }

  function listed(value) {
    return Array.isArray(value) ? value : [value];
  }

  function number(text) {
    return /^[+-]?[0-9]{1,15}(\.[0-9]{1,10})?$/.test(text) ? Number(text) : null;
  }

  function exceeds(larger, smaller) {
    var high = number(larger.length ? larger[0] : "");
    var low = number(smaller.length ? smaller[0] : "");
    return high !== null && low !== null && high > low;
  }

  function holds(condition, answer) {
    var given = listed(answer).map(plain).filter(Boolean);
    var wanted = listed(condition.value).map(plain);
    var asks = wanted.some(Boolean);
    var among = wanted.some(function (one) { return given.indexOf(one) >= 0; });
    var within = given.some(function (text) { return wanted.some(function (one) { return text.indexOf(one) >= 0; }); });
    switch (String(condition.operator || "equals").trim().toLowerCase()) {
      case "equals": case "is": case "eq": case "==": case "in":
        return asks ? among : !given.length;
      case "not_equals": case "is_not": case "neq": case "!=": case "not_in":
        return asks ? !among : !!given.length;
      case "contains": return within;
      case "not_contains": return !within;
      case "empty": return !given.length;
      case "not_empty": return !!given.length;
      case "gt": case ">": return exceeds(given, wanted);
      case "lt": case "<": return exceeds(wanted, given);
      default: return true; // a question is rather shown than lost
    }
  }

  var conditions = new Map();
  fields.forEach(function (field) { conditions.set(field.name, (field.show_if || []).slice()); });
  var placed = new Set(); // a field stands in the first step that names it
  steps.forEach(function (step) {
    step.fields.forEach(function (name) {
      if (!conditions.has(name) || placed.has(name)) return;
      placed.add(name);
      conditions.set(name, conditions.get(name).concat(step.show_if || []));
    });
  });
  var shown = new Set(conditions.keys());

  function answerTo(name) {
    var names = conditions.has(name) ? [name, name + "[]"] : [name];
    var key = names.find(function (one) { return Object.prototype.hasOwnProperty.call(answers, one); });
    var told = key === undefined ? null : answers[key];
    return conditions.has(name) && !shown.has(name) ? null : told;
  }

  // a round settles one more link of a chain; conditions in a circle end where the rounds end
  for (var round = 0; round < conditions.size; round += 1) {
    var settled = new Set();
    conditions.forEach(function (all, name) {
      if (all.every(function (one) { return holds(one, answerTo(one.field)); })) settled.add(name);
    });
    var same = settled.size === shown.size && Array.from(settled).every(function (name) { return shown.has(name); });
    shown = settled;
    if (same) break;
  }
  return shown;
}
