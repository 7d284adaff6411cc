"""The look of the desk as theme options: one source, set by `portal.server` and read by the charts and the sign-in page.

One accent (harbor teal), gray for the second line, color only where it carries meaning: orange = money or time at risk,
red = late or refused, green = verified or done, blue = state. Each text color was chosen for its contrast on the ground it
stands on (at least 4.5 to 1; body text far more, because Streamlit draws hints at 60 % of it).
"""

from __future__ import annotations

from typing import Any, Final

# Okabe and Ito, "Color Universal Design" (2008): told apart with each common kind of color blindness.
CHART_COLORS: Final = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]

LIGHT: Final[dict[str, str]] = {
    "primaryColor": "#0E6470",
    "backgroundColor": "#FFFFFF",
    "secondaryBackgroundColor": "#F6F8F9",
    "textColor": "#0E1620",
    "borderColor": "#D5DCE2",
    "linkColor": "#0E6470",
    "codeTextColor": "#0E1620",
    "codeBackgroundColor": "#F6F8F9",
    "dataframeBorderColor": "#D5DCE2",
    "dataframeHeaderBackgroundColor": "#F6F8F9",
    "dataframeHeaderTextColor": "#55616D",
    "grayColor": "#55616D",
    "grayTextColor": "#55616D",
    "grayBackgroundColor": "#EEF1F4",
    "redColor": "#9B2C2C",
    "redTextColor": "#9B2C2C",
    "redBackgroundColor": "#FDF0EF",
    "orangeColor": "#8A4B0F",
    "orangeTextColor": "#8A4B0F",
    "orangeBackgroundColor": "#FDF3E4",
    "greenColor": "#1B5E4B",
    "greenTextColor": "#1B5E4B",
    "greenBackgroundColor": "#EAF6F1",
    "blueColor": "#1F4E8C",
    "blueTextColor": "#1F4E8C",
    "blueBackgroundColor": "#EBF2FB",
}
DARK: Final[dict[str, str]] = {
    "primaryColor": "#6CC7D1",
    "backgroundColor": "#12181D",
    "secondaryBackgroundColor": "#1A2229",
    "textColor": "#E7ECEF",
    "borderColor": "#313D46",
    "linkColor": "#6CC7D1",
    "codeTextColor": "#E7ECEF",
    "codeBackgroundColor": "#1A2229",
    "dataframeBorderColor": "#313D46",
    "dataframeHeaderBackgroundColor": "#1A2229",
    "dataframeHeaderTextColor": "#A7B3BC",
    "grayColor": "#A7B3BC",
    "grayTextColor": "#A7B3BC",
    "grayBackgroundColor": "#232D35",
    "redColor": "#F4AFAC",
    "redTextColor": "#F4AFAC",
    "redBackgroundColor": "#3A1D1F",
    "orangeColor": "#F0B877",
    "orangeTextColor": "#F0B877",
    "orangeBackgroundColor": "#33240F",
    "greenColor": "#86D3B4",
    "greenTextColor": "#86D3B4",
    "greenBackgroundColor": "#10302A",
    "blueColor": "#9CC3F2",
    "blueTextColor": "#9CC3F2",
    "blueBackgroundColor": "#182B42",
}
LIGHT_SIDEBAR: Final[dict[str, str]] = {"backgroundColor": "#F1F4F6", "secondaryBackgroundColor": "#FFFFFF"}
DARK_SIDEBAR: Final[dict[str, str]] = {"backgroundColor": "#0D1216", "secondaryBackgroundColor": "#1A2229"}

ON_PRIMARY: Final = {"light": "#FFFFFF", "dark": "#0B1518"}
"""Label color on a primary button: Streamlit keeps white in both, which fails on the light accent of the dark theme."""

MEASURES: Final[dict[str, Any]] = {
    "baseFontSize": 15,
    "headingFontSizes": ["1.75rem", "1.3rem", "1.1rem", "1rem", "1rem", "1rem"],
    "headingFontWeights": [650, 650, 600, 600, 600, 600],
    "metricValueFontSize": "1.45rem",
    "metricValueFontWeight": 600,
    "baseRadius": "0.5rem",
    "buttonRadius": "0.45rem",
    "showWidgetBorder": True,
    "showSidebarBorder": True,
    "paddingTop": "0.75rem",
    "paddingBottom": "2rem",
    "chartCategoricalColors": CHART_COLORS,
}


def theme_options() -> dict[str, Any]:
    """The theme as Streamlit options, `theme.light.primaryColor` and so on."""
    options: dict[str, Any] = {f"theme.{name}": value for name, value in MEASURES.items()}
    for section, colors in (
        ("light", LIGHT),
        ("dark", DARK),
        ("light.sidebar", LIGHT_SIDEBAR),
        ("dark.sidebar", DARK_SIDEBAR),
    ):
        options |= {f"theme.{section}.{name}": value for name, value in colors.items()}
    return options
