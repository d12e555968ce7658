// What each activation is good for, and where it fails.
import { translated } from "../../text";

export const notes = translated(
  {
    identity:
      "Without a bend between them, any number of layers is one linear layer. Right for the output of a regression.",
    sigmoid:
      "A probability: right for the output of a yes-or-no question. Between layers it fails: f′ is 1/4 at most, so that each layer takes three quarters of the gradient or more, and all outputs are positive, not centred at 0.",
    tanh: "A sigmoid centred at 0, with slope 1 in the middle: good in small and in recurrent networks. It saturates as well, and deep down gradients vanish.",
    softsign:
      "Like tanh, but it nears ±1 slowly: its tails are never quite flat, and large inputs still learn a little.",
    hardsigmoid:
      "The sigmoid made of three straight pieces: quick on small devices. Beyond ±3 the gradient is exactly 0.",
    hardtanh: "Clips to a range: quick, and exactly linear inside. Outside it nothing is learned.",
    relu: "The default for hidden layers: on the right the gradient passes whole, however deep the network. On the left it is 0: a unit that is negative for all data gets no gradient and stays dead.",
    leakyRelu:
      "ReLU whose left half lets a little gradient through, so that no unit dies. With the default of 0.01 it is little indeed: below the 4% that count as saturated here. Try 0.1.",
    prelu:
      "Leaky ReLU that learns its slope: ∂f/∂a = x on the left. A few more parameters, which may overfit small data.",
    rrelu:
      "Leaky ReLU with slopes drawn at random in training, anew for each element: noise that regularises. In evaluation the slope is their mean.",
    relu6: "ReLU with a ceiling, for low-precision arithmetic on phones. It is flat on both sides.",
    elu: "Negative values bring the mean of the outputs near 0, and for α = 1 there is no corner at 0. On the left it levels off at −α and saturates.",
    celu: "ELU without a corner at 0 for any α: the slope there is 1 from both sides.",
    selu: "ELU with two numbers chosen so that layers keep mean 0 and variance 1 by themselves, given weights from LeCun’s initialisation and no dropout but its own kind.",
    softplus:
      "A smooth ReLU, always positive: for outputs such as variances and rates. Lower the threshold to see where it changes to x, and the jump that it then has.",
    silu: "x times its own gate; also called swish. Smooth, and it dips below 0: left of −1.28 the slope is negative. Common in image and language models.",
    gelu: "x times the probability that a normal number is smaller. The usual choice in transformers. The tanh form was a shortcut for when erf was slow.",
    mish: "Close to SiLU, a little smoother and steeper; it costs a tanh and a logarithm more.",
    hardswish:
      "SiLU made of straight pieces and a parabola, made for phones. Below −3 it is exactly 0, gradient and all.",
    softmax:
      "Turns scores into probabilities: here the first of three, as its logit x moves and the others stay. The others fall as it rises. Far from the rest it saturates, so let crossEntropyLoss take the logits.",
    logSoftmax:
      "The logarithm of softmax, formed without overflow: a straight line where softmax has long rounded to 0.",
    hardmax:
      "1 for the largest, 0 for the others: a decision. It has no gradient, so nothing in front of it can learn: use it to answer, not to train.",
    maxout:
      "The largest of k lines learns any convex bend; here tangents of a parabola, more of them with a larger k. It is flat only where a line is, but costs k times the weights.",
    logSigmoid:
      "The logarithm of a probability: a straight line where the sigmoid has long rounded to 0. For losses, hardly for layers.",
  },
  {
    identity: "层与层之间没有弯折，多少层都等于一个线性层。用在回归任务的输出层正合适。",
    sigmoid:
      "输出是概率，适合二分类的输出层。放在隐藏层就不好：f′ 最大只有 1/4，每过一层梯度至少损失四分之三；输出恒为正，不以 0 为中心。",
    tanh: "以 0 为中心的 S 形函数，中间斜率为 1，适合小网络和循环网络。两端同样饱和，网络一深梯度就会消失。",
    softsign: "形似 tanh，但趋近 ±1 很慢：两尾不会完全变平，输入很大时仍能学到一点。",
    hardsigmoid: "用三段直线近似 sigmoid，在小型设备上很快。超出 ±3 后梯度恰好为 0。",
    hardtanh: "把值截断在一个区间内：快，区间内严格线性。区间外什么也学不到。",
    relu: "隐藏层的默认选择：右半边梯度原样通过，网络再深也不衰减。左半边梯度为 0：若一个单元对所有数据都为负，就再也得不到梯度，成为“死亡”神经元。",
    leakyRelu:
      "左半边漏过一点梯度的 ReLU，单元不会死亡。默认的 0.01 实在太小，低于这里判定饱和的 4%。试试 0.1。",
    prelu: "斜率可学习的 Leaky ReLU：左半边 ∂f/∂a = x。多出少量参数，数据少时可能过拟合。",
    rrelu: "训练时对每个元素随机抽取斜率的 Leaky ReLU：噪声起正则化作用。评估时取斜率的平均值。",
    relu6: "带上限的 ReLU，适合手机上的低比特运算。两侧都是平的。",
    elu: "负值使输出均值接近 0；α = 1 时在 0 处没有折角。左侧趋于 −α，会饱和。",
    celu: "对任何 α 在 0 处都没有折角的 ELU：两侧斜率都是 1。",
    selu: "精心选取两个常数的 ELU：配合 LeCun 初始化、且不用普通 dropout 时，各层自动保持均值 0、方差 1。",
    softplus:
      "光滑的 ReLU，恒为正，适合输出方差、速率这类量。把阈值调低，可以看到它在哪里改用 x，以及由此产生的跳变。",
    silu: "x 乘以自己的门控，也叫 swish。光滑，会略低于 0：在 −1.28 左边斜率为负。图像和语言模型中常见。",
    gelu: "x 乘以“正态随机数比它小”的概率，Transformer 的常用选择。tanh 形式是当年 erf 太慢时的近似。",
    mish: "与 SiLU 相近，略光滑也略陡；要多算一次 tanh 和对数。",
    hardswish: "用直线和抛物线拼成的 SiLU，为手机而设计。−3 以下函数值和梯度都恰好为 0。",
    softmax:
      "把得分变成概率：这里画的是三个概率中的第一个，它的 logit x 变化，其余不动。它升则其余降。与其余相差太远就会饱和，所以请把 logits 直接交给 crossEntropyLoss。",
    logSoftmax: "softmax 的对数，计算时不会溢出：在 softmax 早已舍入为 0 的地方，它仍是一条直线。",
    hardmax:
      "最大者为 1，其余为 0：这是一个决定。它没有梯度，前面的层学不到任何东西：只用来作答，不用来训练。",
    maxout: "k 条直线取最大，能学出任何凸的弯折；这里用抛物线的切线，k 越大切线越多。代价是 k 倍的权重。",
    logSigmoid: "概率的对数：在 sigmoid 早已舍入为 0 的地方，它仍是一条直线。多用于损失函数，很少用于层。",
  },
);
