import type { Problem } from "../../engine/digits/types";
import { digits, percent, translated } from "../../text";

const count = (n: number) => n.toLocaleString("en");

interface Epoch {
  epoch: number;
  epochs: number;
  loss: number;
  accuracy: number;
}

interface Learned {
  train: number;
  test: number;
  side: number;
  name: string | undefined;
}

interface Loaded {
  file: string;
  side: number;
  hidden: number;
}

interface Taken {
  truth: number;
  guess: number;
  certainty: number;
}

const place = ({ row, column }: Problem) => `${row}${column === undefined ? "" : `, column ${column}`}`;
const placeZh = ({ row, column }: Problem) => `第 ${row} 行${column === undefined ? "" : `第 ${column} 列`}`;
const WANTED =
  "Take UCI digits as CSV (64 pixels from 0 to 16 and a label in each row), an IDX pair as MNIST has it, or a model saved here; plain or gzipped";
const WANTED_ZH =
  "请使用 UCI 手写数字 CSV（每行 64 个 0–16 的像素值加一个标签）、MNIST 那样成对的 IDX 文件，或在此保存的模型；原始或 gzip 压缩均可";

export const text = translated(
  {
    title: "Read handwritten digits",
    lead: "A small network learns to read digits here, in this page, in about a second. Draw one: after every stroke it says what it reads. Try a 7 with and without a bar, or let a 4 become a 9.",
    draw: "Draw a digit",
    hint: "Draw here",
    area: "Drawing area",
    keys: "By keyboard, in the drawing area: arrows move the pen, Space sets it down or lifts it, Backspace undoes a stroke, Escape clears.",
    penDown: "pen down",
    penUp: "pen up",
    undo: "Undo stroke",
    clear: "Clear",
    examples: "Or let the page write one:",
    example: (digit: number) => `An example of ${digit}`,
    blank: "What will I read?",
    reads: ({ digit, share }: { digit: number; share: number }) =>
      `${share >= 0.6 ? "I read" : "Perhaps"} ${digit === 8 ? "an" : "a"} ${digit}`,
    sure: (share: number) => (share > 0.999 ? "probability above 99.9%" : `probability ${percent(share)}`),
    seen: "What the network sees",
    seenLabel: ({ side, ink }: { side: number; ink: number }) =>
      `The drawing as ${side} × ${side} pixels, ${percent(ink)} of them ink`,
    seenNote: (side: number) =>
      `Fitted, centred and reduced to ${side} × ${side} pixels, like the images that it learned from.`,
    probabilities: "Probability of each digit",
    training: "Training",
    train: "Train again",
    stop: "Stop",
    part: "Progress of the training",
    stages: {
      drawing: "Writing digits to learn from …",
      training: "Learning …",
      testing: "Testing …",
    },
    epoch: ({ epoch, epochs, loss, accuracy }: Epoch) =>
      `Epoch ${epoch} of ${epochs} · loss ${digits(loss, 2)} · test accuracy ${percent(accuracy)}`,
    done: (accuracy: number) => `${percent(accuracy)} of the test digits are read correctly.`,
    idle: "Not trained here.",
    loaded: ({ file, side, hidden }: Loaded) =>
      `The network of ${file} is in use: ${side * side} pixels, ${hidden} hidden units, 10 digits.`,
    loss: "Loss",
    accuracy: "Test accuracy (%)",
    epochAxis: "epochs",
    settings: "Settings",
    hidden: "Hidden units",
    count: "Generated digits",
    epochs: "Epochs",
    lr: "Learning rate",
    seed: "Seed",
    settingsNote: "They take effect with the next training.",
    files: "Digits and model",
    learned: ({ train, test, side, name }: Learned) =>
      `${name === undefined ? "Digits of the built-in generator" : name}: ${count(train)} to learn from, ${count(test)} to test with, ${side} × ${side} pixels.`,
    samples: "One of each digit to learn from",
    choose: "Open files …",
    drop: "Or drop them anywhere here: UCI digits (CSV), MNIST (the IDX files of images and of labels), or a saved model. They stay on this device.",
    generator: "Back to the generator",
    save: "Save the model",
    half: ({ have, count: n, file }: { have: "images" | "labels"; count: number; file: string }) =>
      have === "images"
        ? `${file}: ${count(n)} images. Now open the file of their labels.`
        : `${file}: ${count(n)} labels. Now open the file of their images.`,
    test: "Confusion matrix",
    testNote: "Rows: the true digit. Columns: what the network read.",
    matrix: "Confusion matrix of the test digits",
    untested: "After the training it shows how the network reads digits that it has not seen.",
    misread: "Misread, most certain first",
    misreadNote: "Press one to see the probabilities.",
    none: "Every test digit was read correctly.",
    taken: ({ truth, guess, certainty }: Taken) =>
      `${truth} taken for ${guess}, probability ${percent(certainty)}`,
    refused: "Not opened: ",
    failed: "It failed: ",
    dismiss: "Dismiss",
    problems: {
      empty: ({ file }: Problem) => `${file} is empty. ${WANTED}.`,
      unknown: ({ file }: Problem) => `${file} is none of the files that are known here. ${WANTED}.`,
      damaged: ({ file, got }: Problem) => `${file} is damaged or incomplete (${got}). Get it once more.`,
      columns: ({ file, row, got }: Problem) =>
        `${file}, row ${row}: expected 65 columns (64 pixels and the label), got ${got}. ${WANTED}.`,
      number: (p: Problem) =>
        `${p.file}, row ${place(p)}: expected a number, got “${p.got}”. Remove headers and text.`,
      pixel: (p: Problem) =>
        `${p.file}, row ${place(p)}: expected a pixel from 0 to 16, got ${p.got}. Scale the pixels to 0–16.`,
      label: (p: Problem) =>
        `${p.file}, row ${place(p)}: expected a label from 0 to 9, got ${p.got}. Leave out what is no digit.`,
      few: ({ file, got }: Problem) =>
        `${file}: ${got} digit is too few, one is needed to learn from and one to test by. Take a larger file.`,
      rank: ({ file, got }: Problem) =>
        `${file}: expected IDX of images (count × side × side) or of labels (count), got ${got}. Take the files of MNIST, or such.`,
      bytes: ({ file }: Problem) =>
        `${file}: expected IDX of unsigned bytes, got another type. Write it as bytes from 0 to 255.`,
      square: ({ file, got }: Problem) =>
        `${file}: expected square images with sides from 4 to 64, got ${got}. Scale or pad the images.`,
      counts: ({ file, got }: Problem) =>
        `${file}: expected as many labels as images, got ${got}. Take two files that belong together.`,
      images: ({ file }: Problem) =>
        `${file}: a second file of images. Take one of images and one of labels.`,
      labels: ({ file }: Problem) =>
        `${file}: a second file of labels. Take one of images and one of labels.`,
      several: ({ file }: Problem) =>
        `${file} came together with others: expected one file, or one of images and one of labels. Take one after the other.`,
      foreign: ({ file }: Problem) =>
        `${file} is no model that was saved here, or is incomplete. Take a file that “Save the model” made.`,
      misfit: ({ file, got }: Problem) =>
        `${file}: its weights do not fit the network that it describes (${got}). Save the model once more.`,
    },
  },
  {
    title: "识别手写数字",
    lead: "一个小网络就在这个页面里学习识别数字，大约一秒就能学会。写一个数字：每写一笔，它都会说出认成了什么。试试带横杠和不带横杠的 7，或者把 4 慢慢写成 9。",
    draw: "写一个数字",
    hint: "写在这里",
    area: "书写区",
    keys: "也可以用键盘在书写区里写：方向键移动笔，空格键落笔和抬笔，退格键撤销一笔，Esc 键清空。",
    penDown: "落笔",
    penUp: "抬笔",
    undo: "撤销一笔",
    clear: "清空",
    examples: "或者让页面写一个：",
    example: (digit) => `数字 ${digit} 的示例`,
    blank: "我会认成什么？",
    reads: ({ digit, share }) => (share >= 0.6 ? `我认为是 ${digit}` : `也许是 ${digit}`),
    sure: (share) => (share > 0.999 ? "概率超过 99.9%" : `概率 ${percent(share)}`),
    seen: "网络看到的图像",
    seenLabel: ({ side, ink }) => `缩成 ${side} × ${side} 像素的字迹，墨迹占 ${percent(ink)}`,
    seenNote: (side) => `与训练图像一样，经过缩放、居中，并缩减为 ${side} × ${side} 像素。`,
    probabilities: "每个数字的概率",
    training: "训练",
    train: "重新训练",
    stop: "停止",
    part: "训练进度",
    stages: { drawing: "正在生成训练用的数字……", training: "正在学习……", testing: "正在测试……" },
    epoch: ({ epoch, epochs, loss, accuracy }) =>
      `第 ${epoch} 轮，共 ${epochs} 轮 · 损失 ${digits(loss, 2)} · 测试准确率 ${percent(accuracy)}`,
    done: (accuracy) => `测试集中 ${percent(accuracy)} 的数字识别正确。`,
    idle: "尚未在此训练。",
    loaded: ({ file, side, hidden }) =>
      `正在使用 ${file} 中的网络：${side * side} 个像素、${hidden} 个隐藏单元、10 个数字。`,
    loss: "损失",
    accuracy: "测试准确率（%）",
    epochAxis: "轮数",
    settings: "设置",
    hidden: "隐藏单元数",
    count: "生成的数字个数",
    epochs: "训练轮数",
    lr: "学习率",
    seed: "随机种子",
    settingsNote: "下次训练时生效。",
    files: "数据与模型",
    learned: ({ train, test, side, name }) =>
      `${name === undefined ? "内置生成器写的数字" : name}：${count(train)} 个用于训练，${count(test)} 个用于测试，${side} × ${side} 像素。`,
    samples: "训练数据中每个数字各一例",
    choose: "打开文件…",
    drop: "也可以把文件拖到这里：UCI 手写数字（CSV）、MNIST（图像和标签两个 IDX 文件）或保存过的模型。文件不会离开本机。",
    generator: "改用生成器",
    save: "保存模型",
    half: ({ have, count: n, file }) =>
      have === "images"
        ? `${file}：${count(n)} 幅图像。请再打开对应的标签文件。`
        : `${file}：${count(n)} 个标签。请再打开对应的图像文件。`,
    test: "混淆矩阵",
    testNote: "行：真实数字；列：被认成的数字。",
    matrix: "测试集的混淆矩阵",
    untested: "训练结束后，这里会统计网络对没见过的数字的识别结果。",
    misread: "认错的数字（把握最大的在前）",
    misreadNote: "点一个看看各数字的概率。",
    none: "测试集中的数字全部识别正确。",
    taken: ({ truth, guess, certainty }) => `把 ${truth} 认成 ${guess}，概率 ${percent(certainty)}`,
    refused: "文件未被采用：",
    failed: "出错了：",
    dismiss: "知道了",
    problems: {
      empty: ({ file }) => `${file} 是空文件。${WANTED_ZH}。`,
      unknown: ({ file }) => `无法识别 ${file} 的格式。${WANTED_ZH}。`,
      damaged: ({ file, got }) => `${file} 已损坏或不完整（${got}）。请重新获取该文件。`,
      columns: ({ file, row, got }) =>
        `${file} 第 ${row} 行：应有 65 列（64 个像素和标签），实际有 ${got} 列。${WANTED_ZH}。`,
      number: (p) => `${p.file} ${placeZh(p)}：应为数字，实际是“${p.got}”。请去掉表头和文字。`,
      pixel: (p) =>
        `${p.file} ${placeZh(p)}：像素值应在 0 到 16 之间，实际是 ${p.got}。请把像素缩放到 0–16。`,
      label: (p) => `${p.file} ${placeZh(p)}：标签应为 0 到 9，实际是 ${p.got}。请去掉不是数字的样本。`,
      few: ({ file, got }) => `${file}：只有 ${got} 个样本，训练和测试至少各需一个。请使用更大的文件。`,
      rank: ({ file, got }) =>
        `${file}：IDX 应为图像（个数 × 边长 × 边长）或标签（个数），实际形状是 ${got}。请使用 MNIST 格式的文件。`,
      bytes: ({ file }) => `${file}：IDX 的数据类型应为无符号字节，实际是其他类型。请存成 0 到 255 的字节。`,
      square: ({ file, got }) => `${file}：图像应为边长 4 到 64 的正方形，实际是 ${got}。请缩放或填充图像。`,
      counts: ({ file, got }) => `${file}：标签数与图像数应相同，实际是 ${got}。请使用配套的两个文件。`,
      images: ({ file }) => `${file}：这是第二个图像文件。请选择一个图像文件和一个标签文件。`,
      labels: ({ file }) => `${file}：这是第二个标签文件。请选择一个图像文件和一个标签文件。`,
      several: ({ file }) => `${file} 与其他文件一起打开：应为单个文件，或图像、标签各一个。请逐个打开。`,
      foreign: ({ file }) => `${file} 不是在此保存的模型，或者不完整。请使用“保存模型”得到的文件。`,
      misfit: ({ file, got }) => `${file}：权重与文件中描述的网络不符（${got}）。请重新保存模型。`,
    },
  },
);
