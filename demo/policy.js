// Before Video.js: without it, Video.js adds <style> elements, which need `style-src 'unsafe-inline'`.
window.VIDEOJS_NO_DYNAMIC_STYLE = true;
