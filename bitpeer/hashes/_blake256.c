/* BLAKE-256 with 14 rounds and no salt: the finalist of the SHA-3 competition.
 *
 * Plain C, one word at a time: written with vectors of four words it ran slower, for want of
 * instructions to gather the message words.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

#define BLOCK 64
#define DIGEST 32
#define ROUNDS 14
#define GIL_LIMIT 4096 /* hashing fewer bytes takes less time than giving the GIL away */

typedef struct {
    uint32_t chain[8];
    uint64_t bits; /* of the message, in the blocks compressed so far */
    size_t held;   /* bytes in `tail`, always fewer than BLOCK */
    uint8_t tail[BLOCK];
} State;

static const uint32_t INITIAL[8] = {
    0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
};

/* The first words of the fraction of pi. */
#define C0 0x243F6A88
#define C1 0x85A308D3
#define C2 0x13198A2E
#define C3 0x03707344
#define C4 0xA4093822
#define C5 0x299F31D0
#define C6 0x082EFA98
#define C7 0xEC4E6C89
#define C8 0x452821E6
#define C9 0x38D01377
#define C10 0xBE5466CF
#define C11 0x34E90C6C
#define C12 0xC0AC29B7
#define C13 0xC97C50DD
#define C14 0x3F84D5B5
#define C15 0xB5470917

static inline uint32_t
load(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void
store(uint8_t *at, uint32_t word)
{
    at[0] = (uint8_t)(word >> 24);
    at[1] = (uint8_t)(word >> 16);
    at[2] = (uint8_t)(word >> 8);
    at[3] = (uint8_t)word;
}

/* Message words of the ten permutations; a round takes them pair by pair, columns first. */
#define ROUND_0 R(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
#define ROUND_1 R(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
#define ROUND_2 R(11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4)
#define ROUND_3 R(7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8)
#define ROUND_4 R(9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13)
#define ROUND_5 R(2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9)
#define ROUND_6 R(12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11)
#define ROUND_7 R(13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10)
#define ROUND_8 R(6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5)
#define ROUND_9 R(10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0)
#define ALL_ROUNDS                                                                                 \
    ROUND_0 ROUND_1 ROUND_2 ROUND_3 ROUND_4 ROUND_5 ROUND_6 ROUND_7 ROUND_8 ROUND_9 ROUND_0        \
        ROUND_1 ROUND_2 ROUND_3

#define TURN(x, r) ((x) >> (r) | (x) << (32 - (r)))
#define G(a, b, c, d, i, j)                                                                        \
    a += b + (m[i] ^ C##j); d = TURN(d ^ a, 16); c += d; b = TURN(b ^ c, 12);                      \
    a += b + (m[j] ^ C##i); d = TURN(d ^ a, 8); c += d; b = TURN(b ^ c, 7);
#define R(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15)                    \
    G(v0, v4, v8, v12, m0, m1) G(v1, v5, v9, v13, m2, m3)                                          \
    G(v2, v6, v10, v14, m4, m5) G(v3, v7, v11, v15, m6, m7)                                        \
    G(v0, v5, v10, v15, m8, m9) G(v1, v6, v11, v12, m10, m11)                                      \
    G(v2, v7, v8, v13, m12, m13) G(v3, v4, v9, v14, m14, m15)

/* Hash *blocks* blocks, each of which adds *step* bits to the counter. */
static void
compress(State *state, const uint8_t *data, size_t blocks, uint64_t step)
{
    uint32_t *h = state->chain;
    while (blocks--) {
        uint32_t m[16];
        for (int i = 0; i < 16; i++)
            m[i] = load(data + 4 * i);
        data += BLOCK;
        state->bits += step;
        uint32_t low = (uint32_t)state->bits, high = (uint32_t)(state->bits >> 32);
        uint32_t v0 = h[0], v1 = h[1], v2 = h[2], v3 = h[3], v4 = h[4], v5 = h[5], v6 = h[6];
        uint32_t v7 = h[7], v8 = C0, v9 = C1, v10 = C2, v11 = C3, v12 = C4 ^ low, v13 = C5 ^ low;
        uint32_t v14 = C6 ^ high, v15 = C7 ^ high;
        ALL_ROUNDS
        h[0] ^= v0 ^ v8; h[1] ^= v1 ^ v9; h[2] ^= v2 ^ v10; h[3] ^= v3 ^ v11;
        h[4] ^= v4 ^ v12; h[5] ^= v5 ^ v13; h[6] ^= v6 ^ v14; h[7] ^= v7 ^ v15;
    }
}

static void
begin(State *state)
{
    memcpy(state->chain, INITIAL, sizeof INITIAL);
    state->bits = 0;
    state->held = 0;
}

static void
feed(State *state, const uint8_t *data, size_t size)
{
    if (state->held) {
        size_t room = BLOCK - state->held;
        if (size < room) {
            memcpy(state->tail + state->held, data, size);
            state->held += size;
            return;
        }
        memcpy(state->tail + state->held, data, room);
        compress(state, state->tail, 1, 8 * BLOCK);
        state->held = 0;
        data += room;
        size -= room;
    }
    compress(state, data, size / BLOCK, 8 * BLOCK);
    state->held = size % BLOCK;
    if (state->held)
        memcpy(state->tail, data + size - state->held, state->held);
}

/* Pad and write the digest; the state is used up. */
static void
finish(State *state, uint8_t *digest)
{
    uint8_t last[2 * BLOCK] = {0};
    size_t held = state->held, size = held + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
    uint64_t bits = state->bits + 8 * held;

    memcpy(last, state->tail, held);
    last[held] = 0x80;
    last[size - 9] |= 0x01;
    store(last + size - 8, (uint32_t)(bits >> 32));
    store(last + size - 4, (uint32_t)bits);
    for (size_t at = 0; at < size; at += BLOCK) {
        /* A block without a bit of the message is hashed with a counter of 0. */
        state->bits = at < held ? bits : 0;
        compress(state, last + at, 1, 0);
    }
    for (int i = 0; i < 8; i++)
        store(digest + 4 * i, state->chain[i]);
}

/* Hash a buffer, without the GIL if that may take a while. */
static void
feed_buffer(State *state, const Py_buffer *buffer)
{
    if (buffer->len < GIL_LIMIT) {
        feed(state, buffer->buf, (size_t)buffer->len);
        return;
    }
    Py_BEGIN_ALLOW_THREADS
    feed(state, buffer->buf, (size_t)buffer->len);
    Py_END_ALLOW_THREADS
}

static PyObject *
digest_of(State *state)
{
    uint8_t digest[DIGEST];
    finish(state, digest);
    return PyBytes_FromStringAndSize((const char *)digest, DIGEST);
}

PyDoc_STRVAR(blake256_doc, "blake256(data, /)\n--\n\nReturn the BLAKE-256 of data, 32 bytes.");

static PyObject *
blake256(PyObject *module, PyObject *data)
{
    Py_buffer buffer;
    State state;

    if (PyObject_GetBuffer(data, &buffer, PyBUF_SIMPLE) < 0)
        return NULL;
    begin(&state);
    feed_buffer(&state, &buffer);
    PyBuffer_Release(&buffer);
    return digest_of(&state);
}

/* The incremental form. */

typedef struct {
    PyObject_HEAD
    State state;
} Hasher;

PyDoc_STRVAR(hasher_doc, "Blake256(data=b'')\n--\n\nA BLAKE-256 that takes its input bit by bit.");

static PyObject *
hasher_new(PyTypeObject *type, PyObject *args, PyObject *named)
{
    static char *names[] = {"data", NULL};
    Py_buffer buffer = {0};

    if (!PyArg_ParseTupleAndKeywords(args, named, "|y*:Blake256", names, &buffer))
        return NULL;
    Hasher *self = (Hasher *)type->tp_alloc(type, 0);
    if (self != NULL) {
        begin(&self->state);
        if (buffer.obj != NULL)
            feed(&self->state, buffer.buf, (size_t)buffer.len);
    }
    if (buffer.obj != NULL)
        PyBuffer_Release(&buffer);
    return (PyObject *)self;
}

static void
hasher_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

PyDoc_STRVAR(update_doc, "update(data, /)\n--\n\nGo on with data.");

static PyObject *
hasher_update(Hasher *self, PyObject *data)
{
    Py_buffer buffer;

    if (PyObject_GetBuffer(data, &buffer, PyBUF_SIMPLE) < 0)
        return NULL;
    if (buffer.len < GIL_LIMIT)
        feed(&self->state, buffer.buf, (size_t)buffer.len);
    else {
        /* Other threads may use the hasher meanwhile: work on a copy, the last one wins. */
        State state = self->state;
        feed_buffer(&state, &buffer);
        self->state = state;
    }
    PyBuffer_Release(&buffer);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(digest_doc, "digest()\n--\n\nReturn the hash of what came so far, 32 bytes.");

static PyObject *
hasher_digest(Hasher *self, PyObject *nothing)
{
    State state = self->state;
    return digest_of(&state);
}

PyDoc_STRVAR(copy_doc, "copy()\n--\n\nReturn a second hasher that has seen the same.");

static PyObject *
hasher_copy(Hasher *self, PyObject *nothing)
{
    PyTypeObject *type = Py_TYPE(self);
    Hasher *copy = (Hasher *)type->tp_alloc(type, 0);
    if (copy != NULL)
        copy->state = self->state;
    return (PyObject *)copy;
}

static PyMethodDef hasher_methods[] = {
    {"update", (PyCFunction)hasher_update, METH_O, update_doc},
    {"digest", (PyCFunction)hasher_digest, METH_NOARGS, digest_doc},
    {"copy", (PyCFunction)hasher_copy, METH_NOARGS, copy_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot hasher_slots[] = {
    {Py_tp_doc, (void *)hasher_doc},
    {Py_tp_new, hasher_new},
    {Py_tp_dealloc, hasher_dealloc},
    {Py_tp_methods, hasher_methods},
    {0, NULL},
};

static PyType_Spec hasher_spec = {
    .name = "bitpeer.hashes._blake256.Blake256",
    .basicsize = sizeof(Hasher),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = hasher_slots,
};

static PyMethodDef functions[] = {
    {"blake256", blake256, METH_O, blake256_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "bitpeer.hashes._blake256",
    .m_doc = "BLAKE-256, compiled.",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC
PyInit__blake256(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL)
        return NULL;
    PyObject *type = PyType_FromSpec(&hasher_spec);
    int failed = type == NULL || PyModule_AddObjectRef(module, "Blake256", type) < 0;
    Py_XDECREF(type);
    if (failed)
        Py_CLEAR(module);
    return module;
}
