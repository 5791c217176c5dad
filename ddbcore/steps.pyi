"""Types of ddbcore.steps: the bytecode's opcodes."""

STEP_EQ: int
STEP_NE: int
STEP_LT: int
STEP_LE: int
STEP_GT: int
STEP_GE: int
STEP_EXISTS: int
STEP_NOT: int
STEP_JUMP_IF_FALSE: int
STEP_JUMP_IF_TRUE: int
STEP_BEGINS_WITH: int
STEP_CONTAINS: int
STEP_TYPE: int
STEP_PUSH: int
STEP_DEFAULT: int
STEP_APPEND: int
STEP_PLUS: int
STEP_MINUS: int
STEP_SET: int
STEP_REMOVE: int
STEP_ADD_TO: int
STEP_DELETE_FROM: int
