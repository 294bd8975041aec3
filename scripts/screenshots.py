"""Pictures and accessibility of the status page; started by screenshots.sh."""
import importlib.util
import pathlib
import sys

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

source, pictures, report = (pathlib.Path(argument) for argument in sys.argv[1:4])
pictures.mkdir(parents=True, exist_ok=True)
SIZES = {"desktop": (1180, 1400), "phone": (390, 1400)}
rows, serious = [], 0
axe = (pathlib.Path(importlib.util.find_spec("axe_playwright_python").origin).parent / "axe.min.js").read_text()

for scheme in ("light", "dark"):
    options = webdriver.ChromeOptions()
    for argument in (
        "--headless=new", "--no-sandbox", "--hide-scrollbars", "--disable-gpu",
        "--disable-dev-shm-usage", f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}",
    ):
        options.add_argument(argument)
    options.binary_location = "/usr/bin/chromium"
    browser = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    for state in ("normal", "degraded", "offline"):
        for size, (width, height) in SIZES.items():
            browser.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride",
                {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"})
            browser.get((source / f"{state}.html").as_uri())
            overflow = browser.execute_script(
                "return document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert overflow <= 0, f"{state} {size} is {overflow} pixels too wide"
            name = f"page-{state}-{size}-{scheme}.png"
            browser.save_screenshot(str(pictures / name))
            # Few colours are enough, and small.
            with Image.open(pictures / name) as image:
                image.convert("RGB").quantize(64).save(pictures / name, optimize=True)
            browser.execute_script(axe)
            result = browser.execute_async_script("axe.run().then(arguments[0])")
            worst = [v for v in result["violations"] if v["impact"] in ("serious", "critical")]
            serious += len(worst)
            found = "; ".join(
                f"{v['id']} ({v['impact']}): {v['nodes'][0]['html'][:80]}" for v in result["violations"]) or "none"
            rows.append(f"| {state} | {size} | {scheme} | {len(result['passes'])} | {found} |")
            version = browser.execute_script("return axe.version")
    browser.quit()

report.write_text(
    "# Accessibility of the status page\n\nWritten by `scripts/screenshots.sh`: axe-core "
    f"{version} in headless Chromium, on the pages as the daemon writes them.\n\n"
    "| state | screen | scheme | rules passed | findings |\n|---|---|---|---|---|\n" + "\n".join(rows)
    + "\n\nWhat axe cannot see: the page renews itself every 10 seconds by an HTTP header; its footer has the link that "
    "stops that (WCAG 2.2.1, 2.2.2). All that it can do is two links, in reading order, with a visible focus. "
    "Nothing is told by colour alone: each state is also a word.\n")
print("\n".join(rows))
sys.exit(1 if serious else 0)
