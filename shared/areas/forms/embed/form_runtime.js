/* The runtime of a form written as HTML: binds its form, then runs its author's code. */
(function () {
  "use strict";
  var AUTHOR_CODE = "{author_code}"; // filled in when this script is served
  var page = anchorPage();

  /* Shows and hides what the author's form asks by the conditions of its definition. A question is the element
     around its input that is marked as one, else its label, else the input itself. */
  function follow(form) {
    var fields = page.facts.fields;
    if (!fields) return;
    function inputs(name) {
      return Array.prototype.filter.call(form.elements, function (input) {
        return input.name === name || input.name === name + "[]";
      });
    }
    function update() {
      var all = [].concat.apply([], fields.map(function (field) { return inputs(field.name); }));
      all.forEach(function (input) { if (input.dataset.acHidden) input.disabled = false; });
      var shown = anchorShown(fields, page.facts.steps, page.collect(form));
      fields.forEach(function (field) {
        inputs(field.name).forEach(function (input) {
          var hide = !shown.has(field.name);
          var place = input.closest(".ac-field") || input.closest("label") || input;
          place.hidden = hide;
          if (hide || input.dataset.acHidden) input.disabled = hide;
          if (hide) input.dataset.acHidden = "yes";
          else delete input.dataset.acHidden;
        });
      });
    }
    form.addEventListener("input", update);
    form.addEventListener("change", update);
    update();
  }

  function start() {
    var form = document.querySelector("form[data-anchor-form]") || document.querySelector("form");
    if (form) {
      page.bind(form);
      follow(form);
    }
    page.runAuthorCode(AUTHOR_CODE);
    page.ready();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
