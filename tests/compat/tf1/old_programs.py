"""Programs as people wrote them in 2018, for TensorFlow 1 and tensorflow_hub; run as they are."""

# A premade Estimator on a module in a feature column, fed with frames of pandas.
PREMADE = """\
from __future__ import absolute_import
from __future__ import division
from __future__ import print_function

import os
import sys

import numpy as np
import pandas as pd
import tensorflow as tf
import tensorflow_hub as hub

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
tf.logging.set_verbosity(tf.logging.ERROR)


def load_dataset():
  data = {"sentence": ["good film", "bad film", "very good", "so bad"] * 25,
          "polarity": [1, 0, 1, 0] * 25}
  return pd.DataFrame.from_dict(data).sample(frac=1, random_state=1).reset_index(drop=True)


train_df = load_dataset()
print(train_df.head(2))

# Training input on the whole training set with no limit on training epochs.
train_input_fn = tf.estimator.inputs.pandas_input_fn(
    train_df, train_df["polarity"], num_epochs=None, shuffle=True)
# Prediction on the whole training set.
predict_train_input_fn = tf.estimator.inputs.pandas_input_fn(
    train_df, train_df["polarity"], shuffle=False)
texts_fn = tf.estimator.inputs.numpy_input_fn(
    {"sentence": train_df["sentence"].values[:4]}, num_epochs=1, shuffle=False)

embedded_text_feature_column = hub.text_embedding_column(
    key="sentence", module_spec=sys.argv[1], trainable=True)

estimator = tf.estimator.DNNClassifier(
    hidden_units=[8, 4],
    feature_columns=[embedded_text_feature_column],
    n_classes=2,
    optimizer=tf.train.AdagradOptimizer(learning_rate=0.3))

estimator.train(input_fn=train_input_fn, steps=60)
train_eval_result = estimator.evaluate(input_fn=predict_train_input_fn)
print("Training set accuracy: {accuracy}".format(**train_eval_result))


def get_predictions(estimator, input_fn):
  return [x["class_ids"][0] for x in estimator.predict(input_fn=input_fn)]


LABELS = ["negative", "positive"]
with tf.Graph().as_default():
  cm = tf.confusion_matrix(train_df["polarity"][:4], get_predictions(estimator, texts_fn))
  with tf.Session() as session:
    cm_out = session.run(cm)
print("of", np.sum(cm_out), "right", np.trace(cm_out))
"""

# A model_fn with a module, layers and a serving input, trained and exported.
MODEL_FN = '''\
"""Trains a text classifier."""
import tensorflow as tf
import tensorflow_hub as hub
from tensorflow.contrib.layers import l2_regularizer, xavier_initializer
from tensorflow.python.framework import ops
from tensorflow.python.platform import gfile

flags = tf.flags
FLAGS = flags.FLAGS

flags.DEFINE_string("module", None, "Handle of the module.")
flags.DEFINE_string("model_dir", "/tmp/model", "Output dir.")
flags.DEFINE_integer("train_steps", 20, "Steps to train.")
flags.DEFINE_bool("fine_tune", True, "Whether to train the module too.")
flags.mark_flag_as_required("module")


def model_fn(features, labels, mode, params):
  is_training = mode == tf.estimator.ModeKeys.TRAIN
  embed = hub.Module(params["module"], trainable=FLAGS.fine_tune, name="embed")
  net = embed(features["text"])
  assert isinstance(net.shape[1].value, int)
  hub.register_module_for_export(embed, "tuned")
  net = tf.layers.dense(net, 8, activation=tf.nn.relu,
                        kernel_initializer=xavier_initializer(seed=1),
                        kernel_regularizer=l2_regularizer(1e-4))
  net = tf.layers.dropout(net, 0.1, training=is_training)
  logits = tf.layers.dense(net, 2)
  predictions = {"classes": tf.argmax(logits, axis=1), "probabilities": tf.nn.softmax(logits)}
  if mode == tf.estimator.ModeKeys.PREDICT:
    outputs = {"serving_default": tf.estimator.export.PredictOutput(predictions)}
    return tf.estimator.EstimatorSpec(mode, predictions=predictions, export_outputs=outputs)

  loss = tf.losses.sparse_softmax_cross_entropy(labels, logits) + tf.losses.get_regularization_loss()
  if mode == tf.estimator.ModeKeys.EVAL:
    metrics = {"accuracy": tf.metrics.accuracy(labels, predictions["classes"])}
    return tf.estimator.EstimatorSpec(mode, loss=loss, eval_metric_ops=metrics)

  global_step = tf.train.get_or_create_global_step()
  learning_rate = tf.train.exponential_decay(0.1, global_step, 10, 0.9)
  optimizer = tf.train.MomentumOptimizer(learning_rate, 0.9)
  with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
    train_op = optimizer.minimize(loss, global_step=global_step)
  tf.summary.scalar("learning_rate", learning_rate)
  return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def make_input_fn(repeat):
  def input_fn():
    texts, labels = ["good film", "bad film", "very good", "so bad"], [1, 0, 1, 0]
    dataset = tf.data.Dataset.from_tensor_slices(({"text": texts}, labels))
    if repeat:
      dataset = dataset.apply(tf.contrib.data.shuffle_and_repeat(4, seed=1))
    dataset = dataset.batch(4)
    return dataset.make_one_shot_iterator().get_next()
  return input_fn


def serving_input_fn():
  text = tf.placeholder(tf.string, [None], name="text")
  return tf.estimator.export.ServingInputReceiver({"text": text}, {"text": text})


def main(_):
  config = tf.estimator.RunConfig(model_dir=FLAGS.model_dir, save_checkpoints_steps=10,
                                  session_config=tf.ConfigProto(allow_soft_placement=True))
  estimator = tf.estimator.Estimator(model_fn, config=config, params={"module": FLAGS.module})
  early = tf.contrib.estimator.stop_if_no_decrease_hook(estimator, "loss", 1000)
  exporters = [hub.LatestModuleExporter("tf_hub", serving_input_fn),
               tf.estimator.LatestExporter("servo", serving_input_fn)]
  tf.estimator.train_and_evaluate(
      estimator,
      tf.estimator.TrainSpec(make_input_fn(True), max_steps=FLAGS.train_steps, hooks=[early]),
      tf.estimator.EvalSpec(make_input_fn(False), steps=None, exporters=exporters,
                            start_delay_secs=0, throttle_secs=0))
  estimator.export_savedmodel(FLAGS.model_dir + "/saved", serving_input_fn)
  found = gfile.Glob(FLAGS.model_dir + "/export/tf_hub/*/tuned/tfhub_module.pb")
  print("accuracy", estimator.evaluate(make_input_fn(False))["accuracy"])
  print("modules", len(found), "tensor", ops.Tensor is tf.Tensor)


if __name__ == "__main__":
  tf.logging.set_verbosity(tf.logging.INFO)
  tf.app.run()
'''

# Bottlenecks of images by a module, a new last layer, in a session; no Estimator.
RETRAIN = '''\
r"""Simple transfer learning with an image module from TensorFlow Hub."""
import argparse
import os
import sys

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub
from tensorflow.contrib import slim
from tensorflow.contrib.tensorboard.plugins import projector

FLAGS = None


def create_image_lists(image_dir):
  result = {}
  for folder in sorted(tf.gfile.ListDirectory(image_dir)):
    result[folder] = tf.gfile.Glob(os.path.join(image_dir, folder, "*.png"))
  return result


def create_module_graph(module_spec):
  height, width = hub.get_expected_image_size(module_spec)
  with tf.Graph().as_default() as graph:
    resized_input_tensor = tf.placeholder(tf.float32, [None, height, width, 3])
    m = hub.Module(module_spec)
    bottleneck_tensor = m(resized_input_tensor)
  return graph, bottleneck_tensor, resized_input_tensor


def add_png_decoding(module_spec):
  input_height, input_width = hub.get_expected_image_size(module_spec)
  input_depth = hub.get_num_image_channels(module_spec)
  png_data = tf.placeholder(tf.string, name="DecodePngInput")
  decoded_image = tf.image.decode_png(png_data, channels=input_depth)
  decoded_image_as_float = tf.image.convert_image_dtype(decoded_image, tf.float32)
  decoded_image_4d = tf.expand_dims(decoded_image_as_float, 0)
  resize_shape_as_int = tf.cast(tf.stack([input_height, input_width]), dtype=tf.int32)
  resized_image = tf.image.resize_bilinear(decoded_image_4d, resize_shape_as_int)
  return png_data, resized_image


def add_final_retrain_ops(class_count, bottleneck_tensor):
  batch_size, bottleneck_size = bottleneck_tensor.get_shape().as_list()
  assert batch_size is None
  with tf.name_scope("input"):
    bottleneck_input = tf.placeholder_with_default(
        bottleneck_tensor, shape=[batch_size, bottleneck_size], name="Bottleneck")
    ground_truth_input = tf.placeholder(tf.int64, [batch_size], name="GroundTruth")
  with tf.name_scope("final_retrain_ops"):
    initial_value = tf.truncated_normal([bottleneck_size, class_count], stddev=0.001)
    layer_weights = tf.Variable(initial_value, name="final_weights")
    tf.summary.histogram("weights", layer_weights)
    layer_biases = tf.Variable(tf.zeros([class_count]), name="final_biases")
    logits = tf.matmul(bottleneck_input, layer_weights) + layer_biases
  final_tensor = tf.nn.softmax(logits, name="final_result")
  cross_entropy_mean = tf.losses.sparse_softmax_cross_entropy(
      labels=ground_truth_input, logits=logits)
  tf.summary.scalar("cross_entropy", cross_entropy_mean)
  train_step = tf.train.GradientDescentOptimizer(FLAGS.learning_rate).minimize(cross_entropy_mean)
  return train_step, bottleneck_input, ground_truth_input, final_tensor


def main(_):
  tf.logging.set_verbosity(tf.logging.INFO)
  image_lists = create_image_lists(FLAGS.image_dir)
  module_spec = hub.load_module_spec(FLAGS.tfhub_module)
  graph, bottleneck_tensor, resized_image_tensor = create_module_graph(module_spec)
  with graph.as_default():
    train_step, bottleneck_input, ground_truth_input, final_tensor = add_final_retrain_ops(
        len(image_lists), bottleneck_tensor)
    correct = tf.equal(tf.argmax(final_tensor, 1), ground_truth_input)
    evaluation_step = tf.reduce_mean(tf.cast(correct, tf.float32))
    png_data_tensor, decoded_image_tensor = add_png_decoding(module_spec)
    merged = tf.summary.merge_all()
    saver = tf.train.Saver()

  with tf.Session(graph=graph) as sess:
    sess.run(tf.global_variables_initializer())
    bottlenecks, truth = [], []
    for label, folder in enumerate(image_lists):
      for name in image_lists[folder]:
        data = tf.gfile.FastGFile(name, "rb").read()
        pixels = sess.run(decoded_image_tensor, {png_data_tensor: data})
        values = sess.run(bottleneck_tensor, {resized_image_tensor: pixels})
        bottlenecks.append(np.squeeze(values, 0))
        truth.append(label)
    writer = tf.summary.FileWriter(FLAGS.summaries_dir, sess.graph)
    feed = {bottleneck_input: bottlenecks, ground_truth_input: truth}
    for i in range(FLAGS.how_many_training_steps):
      summary, _ = sess.run([merged, train_step], feed_dict=feed)
      writer.add_summary(summary, i)
    writer.close()
    accuracy = sess.run(evaluation_step, feed_dict=feed)
    tf.logging.info("Final test accuracy = %.1f%% (N=%d)", accuracy * 100, len(truth))
    saver.save(sess, os.path.join(FLAGS.summaries_dir, "_retrain_checkpoint"))
    tf.saved_model.simple_save(sess, FLAGS.saved_model_dir,
                               inputs={"image": resized_image_tensor},
                               outputs={"prediction": final_tensor})
  assert slim.model_variable and projector.ProjectorConfig


if __name__ == "__main__":
  parser = argparse.ArgumentParser()
  parser.add_argument("--image_dir", type=str, default="")
  parser.add_argument("--tfhub_module", type=str, default="")
  parser.add_argument("--summaries_dir", type=str, default="/tmp/retrain_logs")
  parser.add_argument("--saved_model_dir", type=str, default="")
  parser.add_argument("--how_many_training_steps", type=int, default=50)
  parser.add_argument("--learning_rate", type=float, default=5.0)
  FLAGS, unparsed = parser.parse_known_args()
  tf.app.run(main=main, argv=[sys.argv[0]] + unparsed)
'''
