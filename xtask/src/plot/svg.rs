//! The parts that all pictures share.

/// Colours on a light page, then on a dark one.
const STYLE: &str = "\
<style>
text { fill: #1f2328 } .quiet { fill: #59636e } .tick { stroke: #d1d9e0 } .one { stroke: #59636e }
.more { fill: #1f7a4d } .less { fill: #2458c5 } .page { fill: #ffffff }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .quiet { fill: #9198a1 } .tick { stroke: #3d444d } .one { stroke: #9198a1 }
.more { fill: #3fb950 } .less { fill: #4493f8 } .page { fill: #0d1117 }
}
</style>
<rect class=\"page\" width=\"100%\" height=\"100%\" rx=\"6\"/>
";

/// The beginning of a picture of this width and height.
pub(super) fn head((width, height): (f64, f64), title: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\">\n<title>{}</title>\n{STYLE}",
        escaped(title)
    )
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
