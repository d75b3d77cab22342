"""Every error that hub_estimator raises on purpose: one class per misuse.

Each is also the builtin exception that callers of the original APIs expect, so both
`except hub.errors.SignatureNotFoundError` and `except ValueError` work. The messages say what was
given, what there is, and what to do.
"""

from __future__ import annotations


class Error(Exception):
    """The base of all errors raised on purpose."""

    def __str__(self) -> str:
        # KeyError would show the repr of the message; OSError its tuple.
        return str(self.args[0]) if len(self.args) == 1 else super().__str__()


# --- files -----------------------------------------------------------------------------------


class InvalidPathNameError(Error, ValueError):
    """What was given cannot be the name of a file or folder, or would lead elsewhere."""


class NotAFileError(Error, OSError, ValueError):
    """Where a file is needed there is a folder, a named pipe, a socket or a device."""


class LfsPointerError(Error, OSError, ValueError):
    """In place of a file there is a pointer of Git LFS: the file was not fetched."""


class LockHeldError(Error, RuntimeError):
    """Somebody else works here; the message says who."""


class OutputIsInputError(Error, ValueError):
    """What a command would write is what it reads, or would be a part of that."""


# --- modules on disk -------------------------------------------------------------------------


class NotAModuleError(Error, OSError, ValueError):
    """A folder is not a TF1 Hub module; the message says what it is."""


class BrokenModuleError(Error, OSError, ValueError):
    """A module's files are damaged, missing or contradict one another."""


class UnsupportedModuleError(Error, ValueError):
    """A module is of a format, or requires a feature, that this release does not know."""


class UnsafeAssetError(Error, ValueError):
    """An asset's file name points outside the module's `assets/` folder."""


class UnsafeLinkError(Error, OSError, ValueError):
    """A link in a module's folder leads out of it."""


class ModuleTooLargeError(Error, ValueError):
    """A module would take more memory or time, when it is built, than a setting allows."""


class SideEffectsError(Error, ValueError):
    """A module reaches out of its graph when it runs, and a setting refuses such modules."""


class NotInModuleError(Error, KeyError, ValueError):
    """A signature, a set of tags or a message was asked for that the module does not have."""


class SignatureNotFoundError(NotInModuleError):
    """The module has no signature of this name."""


class TagsNotFoundError(NotInModuleError):
    """The module has no graph variant with exactly these tags."""


class MessageNotFoundError(NotInModuleError):
    """A required attached message is not in the module."""


# --- defining a module -----------------------------------------------------------------------


class DefinitionError(Error, ValueError):
    """A `module_fn` cannot be made a module; the message says what to change."""


class NoSignatureError(DefinitionError):
    """`module_fn` added no signature."""


class SignatureError(DefinitionError, TypeError):
    """A call of `add_signature` is wrong."""


class UnsupportedCollectionError(DefinitionError):
    """`module_fn`'s graph has a collection that a module cannot carry."""


class DuplicateTagsError(DefinitionError):
    """Two graph variants have the same set of tags."""


class VariablesDifferError(DefinitionError):
    """Graph variants have a variable of one name in different types, shapes or parts."""


class ColocationError(DefinitionError):
    """An operation is colocated with one that will not be there."""


class MessageError(DefinitionError, TypeError):
    """An attached message's key or value is wrong."""


# --- using a module in a graph ---------------------------------------------------------------


class UsageError(Error, RuntimeError):
    """A module is used where it cannot be."""


class WrongGraphError(UsageError):
    """A module is used in another graph than the one that holds its variables."""


class NameTakenError(UsageError):
    """The name scope that a module's variables need is taken."""


class InvalidNameError(Error, ValueError):
    """A module's name cannot be that of a variable scope."""


class PartitionedVariableError(UsageError):
    """A module with partitioned variables is used under a strategy, which cannot checkpoint them."""


class EagerModeError(UsageError):
    """A graph is needed, but TensorFlow executes eagerly here."""


class GraphModeError(UsageError):
    """What works in eager execution is made while a graph is built."""


class NoTrainableVariablesError(Error, ValueError):
    """`trainable` is a regular expression that no trainable variable's name has."""


class InputError(Error, TypeError, ValueError):
    """The inputs of a call do not fit the signature."""


class GraphImportError(Error, ValueError):
    """TensorFlow cannot add a module's operations to a graph."""


class OutputError(Error, TypeError):
    """The outputs of a call cannot be returned in the form asked for."""


class CheckpointPathError(Error, ValueError):
    """`ModuleSpec.export` was called without the checkpoint to take the values from."""


class MessageTypeError(Error, ValueError):
    """An attached message is not of the type asked for."""


class CheckpointMismatchError(Error, ValueError):
    """A checkpoint lacks a variable of the module, or has it with another shape or type."""


class DamagedCheckpointError(Error, OSError, ValueError):
    """A file of a checkpoint is missing, empty, cut short or changed; the message says which."""


class ValuesNotFoundError(Error, ValueError):
    """A graph variant is used for whose variables the module has no values."""


class ExportError(Error, RuntimeError, ValueError):
    """A module cannot be exported from this session or to this place."""


class NotConvertibleError(Error, ValueError):
    """A module or a model cannot be written in another format; the message says why."""


# --- images, columns, evaluation, loading ----------------------------------------------------


class ImageInputError(Error, ValueError):
    """A module does not say what images it takes."""


class ColumnError(Error, ValueError):
    """A module cannot be used in a feature column in this way."""


class ColumnConfigError(ColumnError, NotImplementedError):
    """A feature column cannot be stored in a configuration."""


class ClosedError(UsageError):
    """An evaluation function is called after it was closed."""


# --- layers of Keras -------------------------------------------------------------------------


class LayerSettingsError(Error, ValueError):
    """The arguments of a layer contradict one another, or what the layer computes with."""


class LayerConfigError(Error, NotImplementedError):
    """A layer has no configuration that could make it again."""


class MixedKerasError(Error, TypeError, ValueError):
    """A layer of one Keras is used in a model of the other."""


class KerasBackendError(Error, NotImplementedError, RuntimeError):
    """Keras computes with another library than TensorFlow."""


# --- converting ------------------------------------------------------------------------------


class CheckpointScopeError(NotConvertibleError):
    """A checkpoint has a module's variables several times; the message says under which scopes."""


class KerasFileError(NotConvertibleError, OSError):
    """A `.keras` file is damaged, or brings code that opening it would run."""


class ConversionSourceError(NotConvertibleError, TypeError):
    """What was given is nothing that can be converted."""


# --- resolving a handle ----------------------------------------------------------------------


class HandleError(Error, OSError):
    """A handle cannot be resolved to a folder; the message says why and what to do."""


class HandleNotFoundError(HandleError, FileNotFoundError):
    """There is nothing where the handle points to."""


class InvalidHandleError(Error, TypeError, ValueError):
    """What was given cannot be a handle."""


class LayerHandleError(HandleError):
    """The module of a saved layer is not where its handle says."""


class UnsupportedHandleError(HandleError, ValueError):
    """No resolver, or no filesystem, knows handles of this form."""


class SettingError(Error, ValueError):
    """An environment variable has a value that means nothing."""


class OfflineError(HandleError):
    """A handle needs the network, and the offline switch is on."""


class DownloadError(HandleError, ConnectionError):
    """A download failed: the network, the host, or an answer that is no module."""


class CertificateError(DownloadError):
    """The host's certificate is not trusted."""


class AccessDeniedError(HandleError, PermissionError):
    """The host wants credentials, or refuses those it got."""


class RemotePlaceError(HandleError):
    """A place of a store cannot be read or written; the message says why, without credentials."""


class BrokenArchiveError(HandleError, ValueError):
    """An archive is damaged, cut short, or not a tar at all."""


class UnsafeArchiveError(HandleError, ValueError):
    """An archive holds what could write outside its folder, replace files, or fill the disk."""


class ListedDigestError(HandleError, ValueError):
    """An archive is not the one that the list of its host names."""


class CacheError(HandleError):
    """The cache folder cannot be used, or an entry is damaged and cannot be fetched again."""


class MissingExtraError(Error, ImportError):
    """A handle or an input needs a library that an optional extra installs."""


# --- TensorFlow's releases -------------------------------------------------------------------


class LegacyKerasError(Error, ImportError, RuntimeError):
    """Something needs legacy Keras (Keras 2), which this process does not use or have."""


class KerasNotFoundError(Error, ImportError):
    """Keras 3 is needed, and this process has none, or one that is too old."""


class TPUUnsupportedError(Error, NotImplementedError):
    """An Estimator was asked to use a TPU on a TensorFlow without TPU Estimators."""


class StandaloneClientError(Error, NotImplementedError, ValueError):
    """`RunConfig` asks for a standalone client, which drives a cluster from outside."""


class ClusterConfigError(Error, ValueError):
    """The environment variable `TF_CONFIG` does not describe a cluster that can train."""


class NameInUseError(Error, ImportError, RuntimeError):
    """The name `tensorflow_hub` is already another package's in this process."""


class NotInHubError(Error, AttributeError):
    """A module of `tensorflow_hub` has a name that this package has no counterpart of."""


class NoHubModuleError(Error, ModuleNotFoundError):
    """`tensorflow_hub` has a module that this package has no counterpart of."""


class NotInTF1Error(Error, AttributeError):
    """A program for TensorFlow 1 uses a name that is not here; the message says what to use."""


class NoTF1ModuleError(Error, ModuleNotFoundError):
    """A program for TensorFlow 1 imports what is not here; the message says what to use."""


class TensorFlowInUseError(Error, RuntimeError):
    """A program imported TensorFlow before it asked for that of the first release."""


class ColumnTypeError(Error, TypeError, ValueError):
    """`pandas_input_fn` or `numpy_input_fn` got a column that TensorFlow cannot take."""


# --- configuration ---------------------------------------------------------------------------


class ConfigError(Error, ValueError):
    """A gin file or binding cannot be used; the message says which, and what to write."""


class ConfigFileNotFoundError(ConfigError, FileNotFoundError):
    """There is no gin file of this name, neither where it points nor in the package."""


class UnknownSettingError(ConfigError):
    """A binding names a configurable, a parameter or a macro that does not exist."""


class MissingSettingError(ConfigError):
    """A setting that the configuration must give was not given."""


class UnreadBindingError(ConfigError):
    """A binding has no effect: nothing read it."""


# --- training --------------------------------------------------------------------------------


class DataFileNotFoundError(Error, FileNotFoundError):
    """There is no data file at this path."""


class DataFileError(Error, OSError, ValueError):
    """A data file cannot be read; the message says where it is wrong."""


class OtherFormatError(DataFileError):
    """A data file is of another format than its input reads.

    Attributes:
      reader: the input of this package that reads it from a path; empty where none does.
    """

    def __init__(self, message: str, reader: str = "") -> None:
        super().__init__(message)
        self.reader = reader


class ColumnNotFoundError(Error, KeyError, ValueError):
    """A data file does not have this column."""


class LabelError(Error, ValueError):
    """A label is not one that the model's head can learn."""


class FeatureNotFoundError(Error, KeyError, ValueError):
    """An encoder asks for a feature that the input does not give."""


class OutputNotFoundError(NotInModuleError):
    """The module's signature has no output of this name."""


class ModelError(Error, ValueError):
    """A model, or a run of it, is set up so that it cannot work; the message says what to change."""


class InvalidSettingError(ModelError, TypeError):
    """A setting of a part has a value that it cannot have."""


class PartsMismatchError(ModelError):
    """Two parts of a model or a run do not fit together."""


class DuplicateNameError(ModelError):
    """Two parts of a model or a run have one name."""


class MetricNotFoundError(ModelError, KeyError):
    """Something goes by a metric that evaluations do not give."""


class ModelBuildError(ModelError):
    """TensorFlow cannot build the model."""


class NothingTrainableError(ModelError):
    """Training would change nothing: no variable is trained, or the loss depends on none."""


class UnservableFeatureError(ModelError):
    """A feature cannot be given in a request of the form asked for."""


class LossNotFiniteError(ModelError, ArithmeticError):
    """The loss is not a number any more; the message says where that comes from, where it is known."""


class PredictionNotFiniteError(ModelError, ArithmeticError):
    """A model predicts something that is not a number, or infinite."""


class FreshProcessError(Error, RuntimeError):
    """A process of a run ended without an answer, failed by a fault, or took too long."""


class RunTooLongError(FreshProcessError):
    """A process of a run took longer than it may, and was stopped."""


class FollowUpError(Error, RuntimeError):
    """The command that follows an export failed, after the export was published."""


class JobsFailedError(Error, RuntimeError):
    """Some of the export jobs failed; the message names them."""


class SweepStorageError(Error, OSError, RuntimeError):
    """The storage of a sweep cannot be reached or used; the message says why."""


class OtherSweepError(Error, ValueError):
    """What is there under a sweep's name is another sweep."""


class SweepFailedError(Error, RuntimeError):
    """A sweep cannot go on, or none of its trials came to its end."""


class ModelFolderError(Error, OSError, ValueError):
    """The model folder cannot be used for this run."""


class ModuleChangedError(ModelFolderError):
    """A module is not the one that the model in a model folder was trained on."""


class CheckpointGoneError(ModelFolderError):
    """Training removed a checkpoint before it could be used."""


class InterruptedRunError(Error, RuntimeError):
    """A signal stopped training; the checkpoint holds what was done.

    Attributes:
      signal: the number of the signal.
    """

    # On the class it would hide that of the error from what gin raises in its place.
    signal: int

    def __init__(self, message: str, signal: int) -> None:
        super().__init__(message)
        self.signal = signal


class StoppedAtOnceError(KeyboardInterrupt):
    """A signal stopped a run where it was, as Ctrl-C does.

    No `Error`, not even an `Exception`: nothing between here and the top may take it for a failure.

    Attributes:
      signal: the number of the signal.
    """

    def __init__(self, signal: int) -> None:
        super().__init__()
        self.signal = signal


# --- sites -----------------------------------------------------------------------------------


class InvalidModelNameError(Error, ValueError):
    """What was given cannot be the name of a published model, or the number of its version."""


class SiteError(Error, OSError, ValueError):
    """A folder is no site, or something in it is not what a site has."""


class SiteSettingError(Error, ValueError):
    """What was given for a page or an address of a site is none; the message says why."""


class VersionTakenError(Error, FileExistsError):
    """There is such a version of a published model already; versions never change."""


class VersionNotFoundError(Error, FileNotFoundError):
    """There is no such version of a published model."""


# --- sweeps ----------------------------------------------------------------------------------


class SeenDataError(Error, ValueError):
    """The final check of a sweep would be made on data that its search saw."""


class BestModuleError(Error, RuntimeError):
    """The best module of a sweep cannot be published; the message says why."""
