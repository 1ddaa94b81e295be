/* The runtime of a form given as fields: draws them, step by step, and shows and hides them as they are answered. */
(function () {
  "use strict";
  var page = anchorPage();
  var fields = page.facts.fields;
  var steps = stepsOf(page.facts.steps);
  var form = document.createElement("form");
  var places = new Map(); // field name -> the element that holds its question
  var sections = [];
  var current = 0;
  var progress = make("p", { className: "ac-progress" });
  var back = make("button", { type: "button", className: "ac-button ac-button-secondary", textContent: "Back" });
  var next = make("button", { type: "button", className: "ac-button", textContent: "Next" });
  var send = make("button", { type: "submit", className: "ac-button", textContent: "Send" });

  function make(tag, properties, children) {
    var element = Object.assign(document.createElement(tag), properties);
    (children || []).forEach(function (child) { element.append(child); });
    return element;
  }

  /* The steps that have fields; fields that no step names come with the last one. */
  function stepsOf(given) {
    var known = new Set(fields.map(function (field) { return field.name; }));
    var drawn = given
      .map(function (step) {
        var names = step.fields.filter(function (name) { return known.delete(name); });
        return { title: step.title, fields: names, show_if: step.show_if };
      })
      .filter(function (step) { return step.fields.length; });
    if (!drawn.length) drawn = [{ title: "", fields: [], show_if: [] }];
    var last = drawn[drawn.length - 1];
    known.forEach(function (name) { last.fields.push(name); });
    return drawn;
  }

  var INPUT_TYPES = { email: "email", phone: "tel", number: "number", date: "date", file: "file" };

  function control(field, id) {
    if (field.type === "textarea") return make("textarea", { id: id, rows: 4 });
    if (field.type === "select") {
      var choices = [{ value: "", label: field.placeholder || "Please choose" }].concat(field.options);
      return make("select", { id: id }, choices.map(function (one) {
        return make("option", { value: one.value, textContent: one.label });
      }));
    }
    return make("input", { id: id, type: INPUT_TYPES[field.type] || "text" });
  }

  function limit(input, field) {
    input.required = field.required;
    if (field.placeholder && field.type !== "select") input.placeholder = field.placeholder;
    if (field.max_length > 0) input.maxLength = field.max_length;
    if (field.pattern && field.type !== "textarea") input.pattern = field.pattern;
    if (field.pattern_message) input.title = field.pattern_message;
    if (field.min !== null) input.min = field.min;
    if (field.max !== null) input.max = field.max;
    if (field.type === "number") input.step = "any";
    if (field.type === "email") input.autocomplete = "email";
    if (field.type === "phone") input.autocomplete = "tel";
  }

  function starred(field) {
    if (!field.required) return [field.label];
    var star = make("span", { className: "ac-required", textContent: " *" });
    star.setAttribute("aria-hidden", "true");
    return [field.label, star];
  }

  function helped(holder, input, field, id) {
    if (!field.help) return;
    holder.append(make("p", { id: id + "-help", className: "ac-help", textContent: field.help }));
    input.setAttribute("aria-describedby", id + "-help");
  }

  function drawLine(field, id) {
    var holder = make("div", { className: "ac-field" });
    var input = control(field, id);
    input.name = field.name;
    input.className = "ac-input";
    limit(input, field);
    holder.append(make("label", { htmlFor: id, className: "ac-label" }, starred(field)), input);
    if (field.type === "file") {
      input.accept = field.accept;
      input.multiple = field.multiple;
    }
    helped(holder, input, field, id);
    return holder;
  }

  function drawBox(field, id) {
    var input = make("input", { id: id, type: "checkbox", name: field.name, required: field.required });
    var holder = make("div", { className: "ac-field" }, [make("label", { className: "ac-choice" }, [input].concat(starred(field)))]);
    helped(holder, input, field, id);
    return holder;
  }

  function drawChoices(field, id) {
    var kind = field.type === "radio" ? "radio" : "checkbox";
    var holder = make("fieldset", { className: "ac-field ac-choices" }, [make("legend", { className: "ac-label" }, starred(field))]);
    field.options.forEach(function (one, at) {
      var input = make("input", { id: id + "-" + at, type: kind, name: field.name, value: one.value });
      input.required = field.required && kind === "radio";
      if (kind === "checkbox") input.dataset.group = "yes";
      holder.append(make("label", { className: "ac-choice" }, [input, one.label]));
    });
    helped(holder, holder, field, id);
    return holder;
  }

  function draw(field, at) {
    var id = "ac-field-" + at;
    if (field.type === "hidden") return make("input", { type: "hidden", name: field.name, value: field.default || "" });
    if (field.type === "checkbox" && !field.options.length) return drawBox(field, id);
    if ((field.type === "checkbox" || field.type === "radio") && field.options.length) return drawChoices(field, id);
    return drawLine(field, id);
  }

  function inputsIn(place) {
    return place.matches("input") ? [place] : Array.from(place.querySelectorAll("input, select, textarea"));
  }

  /* A browser cannot ask for one box of a group: the first box says it for all. */
  function requireGroup(field, shown) {
    if (field.type !== "checkbox" || !field.options.length) return;
    var boxes = inputsIn(places.get(field.name));
    var missing = field.required && shown && !boxes.some(function (box) { return box.checked; });
    boxes[0].setCustomValidity(missing ? "Please choose at least one." : "");
  }

  function answersNow() {
    var enabled = new Map();
    fields.forEach(function (field) {
      inputsIn(places.get(field.name)).forEach(function (input) {
        enabled.set(input, input.disabled);
        input.disabled = false;
      });
    });
    try {
      return page.collect(form);
    } finally {
      enabled.forEach(function (was, input) { input.disabled = was; });
    }
  }

  function update() {
    var shown = anchorShown(fields, page.facts.steps, answersNow());
    fields.forEach(function (field) {
      var place = places.get(field.name);
      var visible = shown.has(field.name);
      if (field.type !== "hidden") place.hidden = !visible;
      inputsIn(place).forEach(function (input) { input.disabled = !visible; });
      requireGroup(field, visible);
    });
    var open = steps.map(function (step) {
      return step.fields.some(function (name) { return shown.has(name); });
    });
    var before = open.lastIndexOf(true, current - 1);
    var after = open.indexOf(true, current + 1);
    sections.forEach(function (section, at) { section.hidden = at !== current; });
    back.hidden = current === 0 || before < 0;
    next.hidden = after < 0;
    send.hidden = after >= 0;
    back.onclick = function () { go(before); };
    next.onclick = function () { if (isComplete(current)) go(after); };
    var count = open.filter(Boolean).length;
    var place = open.slice(0, current + 1).filter(Boolean).length;
    progress.hidden = count < 2;
    progress.textContent = "Step " + place + " of " + count;
  }

  function go(step) {
    current = step;
    update();
    sections[current].focus();
  }

  function isComplete(step) {
    return steps[step].fields.every(function (name) {
      return inputsIn(places.get(name)).every(function (input) { return input.disabled || input.reportValidity(); });
    });
  }

  /* An error of an earlier step can only be read there. */
  function showStepOf(input) {
    var step = steps.findIndex(function (one) { return one.fields.indexOf(input.name) >= 0; });
    if (step >= 0 && step !== current) go(step);
  }

  function start() {
    progress.setAttribute("aria-live", "polite");
    form.className = "ac-form";
    form.setAttribute("data-anchor-form", "");
    form.append(progress);
    var byName = new Map(fields.map(function (field, at) { return [field.name, [field, at]]; }));
    steps.forEach(function (step) {
      var section = make("section", { className: "ac-step", tabIndex: -1 });
      if (step.title) section.append(make("h2", { className: "ac-step-title", textContent: step.title }));
      step.fields.forEach(function (name) {
        var place = draw.apply(null, byName.get(name));
        places.set(name, place);
        section.append(place);
      });
      sections.push(section);
      form.append(section);
    });
    form.append(make("div", { className: "ac-actions" }, [back, next, send]));
    document.getElementById("anchor-form-root").append(form);
    page.bind(form, showStepOf);
    form.addEventListener("input", update);
    form.addEventListener("change", update);
    form.addEventListener("invalid", function (event) { showStepOf(event.target); }, true);
    form.addEventListener("keydown", function (event) {
      if (event.key !== "Enter" || next.hidden || event.target.tagName !== "INPUT") return;
      event.preventDefault(); // Enter goes on where there is a next step
      next.click();
    });
    update();
    page.ready();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
