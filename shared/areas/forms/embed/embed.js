/* Puts a form on a page: AnchorForms.embed(formId, containerId, options?) draws its frame and returns it.
   options: width ("100%"), height ("600px"), theme {colors, font, radius}. */
(function () {
  "use strict";
  var APP = "{app}"; // the public address, filled in when this script is served
  var UTMS = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"];
  var LONGEST = 1000; // of one value: the whole goes into a URL
  var frames = [];

  function cut(text) {
    return text ? String(text).slice(0, LONGEST) : null;
  }

  function cookie(name) {
    var found = document.cookie.split("; ").filter(function (pair) { return pair.indexOf(name + "=") === 0; })[0];
    return found ? found.slice(name.length + 1) : null;
  }

  function attribution() {
    var query = new URLSearchParams(window.location.search);
    var utms = {};
    UTMS.forEach(function (name) { utms[name] = cut(query.get(name)); });
    return {
      utms: utms,
      referrer: cut(document.referrer) || "",
      landing_page: cut(window.location.href),
      timestamp: new Date().toISOString(),
      ctm_session_id: cut(query.get("ctm_session_id") || cookie("ctm_session")),
      gclid: cut(query.get("gclid")),
      fbclid: cut(query.get("fbclid"))
    };
  }

  function embed(formId, containerId, options) {
    var wanted = options || {};
    var container = document.getElementById(containerId);
    if (!container) {
      console.error("AnchorForms: there is no element with the id " + containerId);
      return undefined;
    }
    // URLSearchParams encodes once and never throws, whatever stands in the address of the page
    var query = new URLSearchParams({ attribution: JSON.stringify(attribution()) });
    if (wanted.theme) query.set("theme", JSON.stringify(wanted.theme));
    var frame = document.createElement("iframe");
    frame.referrerPolicy = "origin"; // the form must know its site, also where the site's own policy is no-referrer
    frame.src = APP + "/embed/form/" + encodeURIComponent(formId) + "?" + query.toString();
    frame.title = "Form";
    frame.loading = "lazy";
    frame.style.border = "0";
    frame.style.maxWidth = "100%";
    frame.style.width = wanted.width || "100%";
    frame.style.height = wanted.height || "600px";
    container.appendChild(frame);
    frames.push({ formId: String(formId), frame: frame });
    return frame;
  }

  // The frame is sandboxed, so its origin is "null": what tells our own frames from others is the window that speaks.
  window.addEventListener("message", function (event) {
    var said = event.data;
    if (!said || said.type !== "anchor-form-resize") return;
    frames.forEach(function (one) {
      var ours = event.source === one.frame.contentWindow && said.formId === one.formId;
      if (ours && isFinite(said.height) && said.height > 0) {
        one.frame.style.height = Math.min(Math.ceil(said.height), 20000) + "px";
      }
    });
  });

  window.AnchorForms = { embed: embed };
})();
