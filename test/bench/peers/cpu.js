/** CPU time of a page's main thread, by Chromium's own count. */

/** @typedef {{taskMs: number, scriptMs: number}} CpuTime all its tasks, and scripts alone */

/** @param {import('../lab.js').Page} page @returns {Promise<() => Promise<CpuTime>>} tells what was spent since the last telling */
export async function cpuMeter(page) {
  const chromium = await page.context().newCDPSession(page);
  // the thread's own CPU time: what else the machine does meanwhile is not in it
  await chromium.send('Performance.enable', { timeDomain: 'threadTicks' });
  const read = async () => {
    const { metrics } = await chromium.send('Performance.getMetrics');
    const msOf = (/** @type {string} */ name) => (metrics.find((metric) => metric.name === name)?.value ?? NaN) * 1000;
    return { taskMs: msOf('TaskDuration'), scriptMs: msOf('ScriptDuration') };
  };
  let before = await read();
  return async () => {
    const [last, now] = [before, await read()];
    before = now;
    return { taskMs: now.taskMs - last.taskMs, scriptMs: now.scriptMs - last.scriptMs };
  };
}
