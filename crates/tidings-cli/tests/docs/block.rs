//! The fenced blocks of a document.

/// One block.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The line of its fence, from 1.
    pub(crate) line: usize,
    /// The info string after the fence.
    pub(crate) info: String,
    /// Its lines, each with its line break.
    pub(crate) text: String,
}

const FENCE: &str = "```";

impl Block {
    /// The blocks of a document, in order. Every fence starts its line.
    pub(crate) fn all_of(document: &str) -> Vec<Self> {
        let mut blocks = Vec::new();
        let mut open: Option<Self> = None;
        for (index, line) in document.lines().enumerate() {
            match (line.strip_prefix(FENCE), &mut open) {
                (Some(info), None) => {
                    open = Some(Self {
                        line: index + 1,
                        info: info.trim().to_owned(),
                        text: String::new(),
                    });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (None, Some(block)) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                (None, None) => {}
            }
        }
        assert_eq!(open, None, "the block is not closed");
        blocks
    }
}

#[test]
fn reads_line_info_and_text_of_blocks() {
    let blocks = Block::all_of("a\n```sh,fails\nb\n\nc\n```\nd\n```text\n```\n");
    let block = |line, info: &str, text: &str| Block {
        line,
        info: info.to_owned(),
        text: text.to_owned(),
    };
    assert_eq!(
        blocks,
        [block(2, "sh,fails", "b\n\nc\n"), block(8, "text", "")]
    );
}
