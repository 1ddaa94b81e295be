/* The runtime of a form written as HTML: binds its form, then runs its author's code. */
(function () {
  "use strict";
  var AUTHOR_CODE = "{author_code}"; // filled in when this script is served
  var page = anchorPage();

  function start() {
    var form = document.querySelector("form[data-anchor-form]") || document.querySelector("form");
    if (form) page.bind(form);
    page.runAuthorCode(AUTHOR_CODE);
    page.ready();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
